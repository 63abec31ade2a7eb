"""Encode papers apart from a library, by several processes or on a cluster, and take the encodings in later.

A directory of encoded papers is complete in itself, and written so that an interrupted run goes on where it was:

    manifest.json         format, version, the recipe of the encodings, and the names of the parts that belong to it
    records/N-D.parquet   what the sources say, in the order in which it was read, with the match keys of each record
    encodings/N-D.parquet the vectors and word vectors of papers, by a digest of their texts

N is the number of a part and D a digest of its bytes. Papers are merged from the records exactly as an ingest does, so
that what is encoded are the texts that a library has.
"""
