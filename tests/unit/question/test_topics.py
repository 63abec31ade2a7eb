from __future__ import annotations

from pathlib import Path

import pytest

from assistant.question.topics import find_topics
from assistant.schema import Paper
from assistant.storage.lexicon import TantivyLexicon

FILLERS = ["apples", "pears", "plums", "figs", "dates", "limes", "nuts", "beans", "corn", "rye"]


@pytest.fixture
def lexicon(tmp_path: Path) -> TantivyLexicon:
    return TantivyLexicon(tmp_path / "lexicon")


def papers(count: int, about: str, title: str | None, first: int = 0) -> list[Paper]:
    return [
        Paper(f"{first + number}", f"{about} These are about {FILLERS[number % 10]}.", title) for number in range(count)
    ]


def phrases(lexicon: TantivyLexicon, *found: Paper, limit: int = 10) -> list[str]:
    lexicon.replace(found)
    return [topic.phrase for topic in find_topics(found, lexicon, limit)]


def test_a_topic_is_a_phrase_of_titles_that_several_papers_have(lexicon: TantivyLexicon) -> None:
    topical = papers(4, "We study the waggle dance. Extensive experiments follow.", "On the waggle dance")
    others = papers(40, "Extensive experiments follow.", "Something", first=100)
    assert phrases(lexicon, *topical, *others) == ["waggle dance"]


def test_a_phrase_that_goes_on_is_no_topic_and_a_whole_one_is(lexicon: TantivyLexicon) -> None:
    topical = papers(4, "This is about honey bee dances.", "Honey bee dances")
    assert phrases(lexicon, *topical, *papers(40, "Else.", "Something", first=100)) == ["honey bee dances"]


def test_a_phrase_of_nearly_all_papers_is_no_topic(lexicon: TantivyLexicon) -> None:
    assert phrases(lexicon, *papers(40, "We study language models.", "On language models")) == []


def test_the_plural_of_a_phrase_is_preferred(lexicon: TantivyLexicon) -> None:
    singular = papers(4, "We study a waggle dance.", "On the waggle dance")
    plural = papers(2, "There are waggle dances.", "Else", first=50)
    assert "waggle dances" in phrases(lexicon, *singular, *plural, *papers(60, "Else.", "Other", first=100))


def test_no_two_topics_share_a_word(lexicon: TantivyLexicon) -> None:
    found = papers(4, "A waggle dance is a round dance.", "Waggle dance and round dance")
    assert len(phrases(lexicon, *found, *papers(40, "Else.", "Other", first=100))) == 1


def test_a_library_of_few_or_untitled_papers_has_topics_and_an_empty_one_has_none(lexicon: TantivyLexicon) -> None:
    assert phrases(lexicon) == []
    assert phrases(lexicon, Paper("a", "We study the waggle dance.")) == ["waggle dance"]


@pytest.mark.parametrize(
    "text", ["$" * 5000, "\\def\\x{\\x}" * 500, "<script>a</script> " * 300, "\x00 \ud800", "-" * 9000]
)
def test_hostile_texts_give_topics_or_none_and_no_error(lexicon: TantivyLexicon, text: str) -> None:
    find_topics([Paper("a", text, text)], lexicon, 5)
