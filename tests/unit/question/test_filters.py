from __future__ import annotations

import pytest

from assistant.errors import InputError
from assistant.question.filters import explain_no_match, format_filters, parse
from assistant.question.worded_filters import ParsedQuestion
from assistant.schema import Filters, Scope
from assistant.text.matching import contains_phrase, has_author, source_contains

AUTHORS = ["Danqi Chen", "Yong Lin", "Sanjeev Arora"]


def is_author(name: str) -> bool:
    return has_author(AUTHORS, name)


TYPED = [
    ('author:"Arora" warmup', "warmup", Filters(authors=("Arora",))),
    ("author:Arora warmup", "warmup", Filters(authors=("Arora",))),
    ('author: "Danqi Chen" warmup', "warmup", Filters(authors=("Danqi Chen",))),
    ("author=“Danqi  Chen” warmup", "warmup", Filters(authors=("Danqi Chen",))),
    ("author:Chen author:Lin warmup", "warmup", Filters(authors=("Chen", "Lin"))),
    ("author:Chen author:Chen", "", Filters(authors=("Chen",))),
    ("warmup author:Arora?", "warmup", Filters(authors=("Arora",))),
    ("year>=2023 warmup", "warmup", Filters(since=2023)),
    ("year>2022 warmup", "warmup", Filters(since=2023)),
    ("warmup year<2020", "warmup", Filters(until=2019)),
    ("warmup year<=2020?", "warmup", Filters(until=2020)),
    ("warmup year < 2020 in nets", "warmup in nets", Filters(until=2019)),
    ("warmup year:>=2020", "warmup", Filters(since=2020)),
    ("year:2021 warmup", "warmup", Filters(since=2021, until=2021)),
    ("year: 2021 warmup", "warmup", Filters(since=2021, until=2021)),
    ("year=2021 warmup", "warmup", Filters(since=2021, until=2021)),
    ("year:2020-2023 warmup", "warmup", Filters(since=2020, until=2023)),
    ("year:2020–2023 warmup", "warmup", Filters(since=2020, until=2023)),
    ("year:2020..2023 warmup", "warmup", Filters(since=2020, until=2023)),
    ("year:2020- warmup", "warmup", Filters(since=2020)),
    ("year:-2020 warmup", "warmup", Filters(until=2020)),
    ("year>=2020 warmup year<2023", "warmup", Filters(since=2020, until=2022)),
    ("venue:NeurIPS warmup", "warmup", Filters(venues=("NeurIPS",))),
    ("source:reading-list.txt warmup", "warmup", Filters(sources=("reading-list.txt",))),
    ('title:"Attention is all" heads', "heads", Filters(titles=("Attention is all",))),
    ("warmup collection:RLHF", "warmup", Filters(collections=("RLHF",))),
    ('warmup collection:"To <read>, soon?" x', "warmup x", Filters(collections=("To <read>, soon?",))),
    ('warmup collection:"🔥"', "warmup", Filters(collections=("🔥",))),
    ("warmup tag:nlp, tag:Überblick?", "warmup", Filters(tags=("nlp", "Überblick"))),
    ('warmup note:"two words" note:one', "warmup", Filters(notes=("two words", "one"))),
    ("warmup -survey", "warmup", Filters(without=("survey",))),
    ("warmup -fine-tuning -RL", "warmup", Filters(without=("fine-tuning", "RL"))),
    ('warmup -"reward hacking"', "warmup", Filters(without=("reward hacking",))),
    ('is "reward hacking" common?', "is reward hacking common?", Filters(phrases=("reward hacking",))),
    ("What does “Honey bees dance” show?", "What does Honey bees dance show?", Filters(phrases=("Honey bees dance",))),
]

IN_WORDS = [
    ("reward models since 2022", "reward models", Filters(since=2022)),
    ("What is known about pruning since 2022?", "What is known about pruning?", Filters(until=None, since=2022)),
    ("papers before 2020 about pruning", "papers about pruning", Filters(until=2019)),
    ("papers after 2020, about pruning", "papers, about pruning", Filters(since=2021)),
    ("work on pruning until 2019", "work on pruning", Filters(until=2019)),
    ("has anyone pruned nets between 2019 and 2021?", "has anyone pruned nets?", Filters(since=2019, until=2021)),
    ("papers from 2019 to 2021 on pruning", "papers on pruning", Filters(since=2019, until=2021)),
    ("pruning papers from 2021", "pruning papers", Filters(since=2021, until=2021)),
    ("papers published in 2021 on pruning", "papers on pruning", Filters(since=2021, until=2021)),
    ("papers from 2021 onwards on pruning", "papers on pruning", Filters(since=2021)),
    ("papers published in 2021 or later", "papers", Filters(since=2021)),
    ("papers by Danqi Chen on retrieval", "papers on retrieval", Filters(authors=("Danqi Chen",))),
    ("papers by Geoffrey Hinton", "papers", Filters(authors=("Geoffrey Hinton",))),
    ("papers by Arora et al. on nets", "papers on nets", Filters(authors=("Arora",))),
    ("studies written by S. Arora", "studies written", Filters(authors=("S. Arora",))),
    ("work by van den Oord on CPC", "work on CPC", Filters(authors=("van den Oord",))),
    ("papers by Danqi Chen and Sanjeev Arora", "papers", Filters(authors=("Danqi Chen", "Sanjeev Arora"))),
    ("papers by Danqi Chen RLHF", "papers RLHF", Filters(authors=("Danqi Chen",))),
    ("what was shown by Yong Lin?", "what was shown?", Filters(authors=("Yong Lin",))),
    ("the bound by Arora et al. for nets", "the bound for nets", Filters(authors=("Arora",))),
    ("has Yong Lin published on hallucination?", "has published on hallucination?", Filters(authors=("Yong Lin",))),
    ("Papers by Danqi Chen since 2022 -survey", "Papers", Filters(("Danqi Chen",), since=2022, without=("survey",))),
]

NO_FILTERS = [
    "The loss of ice doubles after 2005.",
    "Mortality fell before 2010.",
    "trained in 2019 steps",
    "What happened in 2021?",
    "does the loss fall after 2000 steps",
    "does the loss fall after 2000 gradient steps?",
    "papers with between 2000 and 2020 citations",
    "since gradients vanish, how are deep nets trained?",
    "since 2,022 tokens are used",
    "How much ice was lost between 1990 and 2020?",
    "papers before 2010 and after 2020",
    "papers from the last two years",
    "optimised by gradient descent",
    "optimised by Adam",
    "trained by Proximal Policy Optimization",
    "the scaling law by Hoffmann et al. for tokens",
    "is Danqi Chen cited?",
    "weak-to-strong generalization of GPT-4-based co-training",
    "a rate of -0.5",
    "A - B, and - C",
    "minimise -log p(x)",
    "minimise -f(x) over -x",
    "the -log-likelihood",
    "models -and their data",
    'a lone " quote',
    '5" and 6" screens',
    'does it "really" understand “language”?',
    'the empty quote ""',
    "note: this is odd",
    "RLHF: a survey",
    "RLHF:a survey",
    "Title:Something",
    "see:this",
    "tone:formal",
    "ratio:3 and k=5, p<0.05",
    "see https://arxiv.org/abs/2301.00001 and doi:10.1000/5",
    "each year: more papers",
    "author: who is it?",
    "what is the source: data or labels?",
    "",
    "?!",
]


@pytest.mark.parametrize(("question", "text", "filters"), TYPED + IN_WORDS)
def test_filters_are_taken_out_of_a_question(question: str, text: str, filters: Filters) -> None:
    assert parse(question, is_author) == ParsedQuestion(text, filters)


@pytest.mark.parametrize("question", NO_FILTERS)
def test_what_only_looks_like_a_filter_is_left_alone(question: str) -> None:
    assert parse(question, is_author) == ParsedQuestion(question, Filters())


@pytest.mark.parametrize(("question", "text", "filters"), TYPED + IN_WORDS)
def test_filters_can_be_written_and_read_again(question: str, text: str, filters: Filters) -> None:
    assert parse(format_filters(filters)).filters == filters


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ("auther:Arora", "there is no filter auther:, perhaps author: was meant; there are author:, title:, venue:"),
        ("yaer:2020", "perhaps year: was meant"),
        ("journal:Nature", "there is no filter journal:; there are author:, title:, venue:, source:, collection:,"),
        ("year>=abc", "year>=abc is not a year: write year:2021, year:2020-2023, year>=2020 or year<2020"),
        ("year:20", "year:20 is not a year"),
        ("year:20201", "year:20201 is not a year"),
        ("year:2023-2020", "year:2023-2020 is not a year"),
        ("year>2020-2021", "is not a year"),
        ("year>=2023 year<2020", "no year is 2023 or later and 2019 or earlier"),
        ('author:"Arora', "the quotes behind author: are not closed"),
        ('author:""', "author: needs a value"),
        ("venue:?", "venue: needs a value"),
        ('collection:" "', "collection: needs a value"),
        ("tags:x", "perhaps tag: was meant"),
        ("note:?", "note: needs a value"),
        ("-tag:x", "cannot be excluded with a minus"),
        ("author>Arora", "only years can be compared"),
        ("-author:Arora", "cannot be excluded with a minus"),
    ],
)
def test_an_invalid_filter_is_refused_with_a_remedy(question: str, complaint: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(question)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_typed_year_overrides_a_year_in_words() -> None:
    assert parse("year:2021 papers since 2020") == ParsedQuestion("papers since 2020", Filters(since=2021, until=2021))


def test_filters_inside_an_exact_phrase_are_ordinary_words() -> None:
    assert parse('"papers since 2020 -survey year:2021"').filters == Filters(
        phrases=("papers since 2020 -survey year:2021",)
    )


@pytest.mark.parametrize(
    ("text", "phrase", "contained"),
    [
        ("Reward Hacking is common", "reward hacking", True),
        ("Reward-hacking", "reward hacking", True),
        ("naïve Bayes", "NAIVE", True),
        ("rewards hacking", "reward hacking", False),
        ("hacking reward", "reward hacking", False),
        ("reward, then hacking", "reward hacking", False),
        ("NAACL 2022", "acl", False),
        ("NeurIPS 2022", "neurips", True),
        (None, "reward", False),
    ],
)
def test_a_phrase_is_contained_word_for_word(text: str | None, phrase: str, contained: bool) -> None:
    assert contains_phrase(text, phrase) is contained


@pytest.mark.parametrize(
    ("author", "name", "same"),
    [
        ("Danqi Chen", "Danqi Chen", True),
        ("Danqi Chen", "chen", True),
        ("Danqi Chen", "Chen, Danqi", True),
        ("Danqi Chen", "D. Chen", True),
        ("D. Chen", "Danqi Chen", True),
        ("Aäron van den Oord", "van den Oord", True),
        ("Bernhard Schölkopf", "Schoelkopf", False),
        ("Bernhard Schölkopf", "Scholkopf", True),
        ("Danqi Chen", "Danqi Lin", False),
        ("Danqi Chen", "Dan Chen", False),
        ("Danqi Chen", "D", False),
        ("Yi Cheng", "Chen", False),
    ],
)
def test_an_author_is_known_by_surname_full_name_or_initials(author: str, name: str, same: bool) -> None:
    assert has_author(["Somebody Else", author], name) is same


def test_a_source_is_known_by_a_part_of_its_name() -> None:
    assert source_contains(["/data/Reading-List.txt"], "reading-list")
    assert not source_contains(["a.txt"], "b.txt")


def test_without_matches_the_explanation_names_the_filter_and_what_papers_lack() -> None:
    assert explain_no_match(Filters(since=2023), Scope(), 7, {"year": 7, "authors": 0}) == (
        "no paper in the library matches year>=2023 (7 of its 7 papers have no year)"
    )
    assert (
        explain_no_match(Filters(("Chen",)), Scope(), 7, {"authors": 0})
        == 'no paper in the library matches author:"Chen"'
    )
