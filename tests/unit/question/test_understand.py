from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from assistant.errors import InputError
from assistant.protocols import MessageReader
from assistant.question.encoder import QuestionEncoder
from assistant.question.understand import understand
from assistant.schema import Answer, Citation, Filters, Paper, Query, Scope, Strength, Turn
from tests.fakes import WordHashEmbedder

FIRST = "How much ice did the Alps lose?"
ICE = Paper("ice", "Glaciers melt.", title="Ice in warm years", authors=("Ada Berg", "Bo Thaw"))
BEES = Paper("bees", "Bees dance.", title="The waggle dance decoded", authors=("Cy Melloul",))
BREAD = Paper("bread", "Sourdough rises.", title="Starters")


def turn(question: str, standalone: str | None = None, cited: Sequence[Paper] = (), **values: Any) -> Turn:
    citations = tuple(Citation(number, paper, ()) for number, paper in enumerate(cited, start=1))
    answer = Answer(question, standalone or question, Strength.FIRM, 0.9, "A third.", citations=citations, **values)
    return Turn(question, answer)


FOLLOW_UPS = [
    "How much of it melts in summer?",
    "When did they begin to shrink?",
    "Who are its authors?",
    "Why?",
    "How so?",
    "Tell me more",
    "What about the Himalaya?",
    "how about honey bees?",
    "And in winter?",
    "But not in Norway?",
    "Which ones shrink the fastest?",
    "Does the second paper agree?",
    "What method did the authors use?",
    "How was this measured?",
    "who wrote it?",
    "and the second one?",
    "on which datasets?",
    "what about LoRA instead?",
    "[2]",
    "does [1] report numbers on ImageNet?",
    "is there code for that?",
    "how large are the models in that paper?",
    "does the effect hold for larger models?",
    "does this also hold for vision transformers?",
    "what baselines do they compare with?",
    "how big is the gain?",
    "any limitations?",
    "did anyone else find the same?",
    "which of them is cheaper to train?",
    "is either of them robust to label noise?",
    "can you explain the second point?",
    "what does the former say about memory?",
    "how does their method deal with noisy rewards?",
    "isn't that just overfitting?",
    "in what year was it published?",
    "is somebody claiming the opposite?",
    "so which one would you recommend?",
    "what is it called?",
    "was something similar tried for speech?",
    "how do those results change with model size?",
    "the one with the graph neural network: how deep is it?",
    "going back to the glaciers, what drives the loss?",
    "returning to warmup: is it needed with RAdam?",
    "what evidence do they give?",
    "could it be a data artefact?",
    "how many parameters does the larger one have?",
    "and for small batches?",
    "or with Adam?",
    "summarize the third paper",
    "are the results statistically significant?",
    "did it work in practice?",
    "what happens without it?",
    "do the authors release their weights?",
    "more details please",
    "what did this study measure?",
    "whose idea was that?",
    "what else do they show?",
    "does that scale?",
    "in which venue did this appear?",
    "compare it with SGD",
    "and what did they conclude about sleep?",
    "how does the approach scale to long documents?",
    "why would that be?",
    "are there follow-up papers on this?",
    "does paper 2 say why?",
    "why does this happen in deep networks?",
    "how is the dataset built?",
    "could you say more about the training data",
    "how is that different from knowledge distillation?",
    "so it needs no labels at all?",
    "interesting, why does the smaller model win?",
    "and what's the intuition",
    "what if the teacher is wrong?",
    "do they release the code",
    "is this true for CNNs as well?",
    "can you compare these two?",
    "which of the two is newer?",
    "does it transfer to other languages?",
    "what hardware was needed?",
    "who are the authors of the second one",
    "same question for diffusion models",
    "what are the main results?",
    "hmm, but doesn't that contradict the first paper?",
    "is the dataset public?",
    "give me an example",
    "the latter sounds good, how fast is it?",
    "how did they measure forgetting there?",
    "what about its memory footprint?",
    "more on the second paper please",
    "any other papers like this?",
    "was this confirmed by others?",
    "does their proof need convexity?",
    "okay and for images?",
    "tell me more about the second result",
    "what do you mean by that?",
    "but is it statistically significant?",
    "do the gains vanish at scale?",
    "ok, and what's the downside?",
    "do they say anything about compute",
    "can it be combined with dropout?",
    "who else works on this",
    "where was the second paper published?",
    "and without the auxiliary loss?",
    "what's the evidence for that claim?",
    "i don't get it, can you explain",
    "how do these two differ?",
    "what about non-English text",
    "does the first one need a reward model?",
    "so is it worth it?",
    "any numbers?",
    "was the code released?",
    "how many tokens was it trained on?",
    "is that because of the optimizer?",
    "are there newer results",
    "which one uses less memory?",
    "is [3] about language models too?",
    "how would they do on longer sequences?",
]
STANDALONE = [
    "How do honey bees communicate?",
    "Which bacteria live in sourdough?",
    "What drives the loss of glacier ice in the northern Alps?",
    "Organic acids in bread?",
    "Android malware?",
    "Sociology of science",
    "Butter from sour milk",
    "Whyte's theorem",
    "Items and itineraries",
    "Learning rate warmup and weight decay",
    "Is it true that dropout hurts batch normalisation?",
    "is it known whether transformers can count",
    "Is it possible to prune a network before training it?",
    "does GPT-4 encode truthfulness in its hidden states?",
    "do language models know when they are wrong about arithmetic?",
    "how do large batches change the results of SGD on ImageNet?",
    "what does the model of Rosenblatt learn?",
    "These days, is anyone still using recurrent networks for translation?",
    "how does the choice of tokenizer affect the model on code tasks?",
    "what methods detect machine-generated text?",
    "which datasets are used for evaluating protein folding?",
    "Do graph networks lose their expressive power when they get deeper?",
    "can reinforcement learning agents explain their own decisions?",
    "papers that compare LoRA with full finetuning",
    "is there a paper on attention sinks?",
    "what makes contrastive learning work without negatives?",
    "What are the best results for summarization of legal documents?",
    "speech recognition for languages with little data",
    "Why do neural networks generalise although they can memorise random labels?",
    "ok different thing: does sleep deprivation change how mice learn?",
    "new topic. how noisy are benchmark scores across seeds",
    "does the lottery ticket hypothesis hold for transformers?",
    "how hard is it to distill a diffusion model into one step?",
    "How does it help to train on synthetic data?",
    "it is often said that flat minima generalise better, who showed this?",
    "when a model is fine-tuned on its own outputs, does it collapse?",
    "curriculum learning for robots, does it pay off?",
    "is it cheaper to train on filtered data than on more of it",
    "do users prefer longer answers even if they are wrong?",
    "how much memory does Adam need for its moments?",
    "What did Hinton propose instead of backpropagation?",
    "survey of prompt injection defences",
    "if a teacher is biased, does the student of a distillation inherit that bias?",
    "which optimizers beat Adam on small language models, and do they need more memory?",
    "the effect of weight decay on double descent",
    "how do people evaluate the factuality of summaries?",
    "has someone measured the energy that training GPT-3 took",
    "results on catastrophic forgetting in continual learning",
    "the authors of BERT claim that next sentence prediction helps; is that confirmed?",
    "can an agent learn to ask for help before it fails?",
    "do reward models prefer longer outputs?",
    "how can I detect whether my training set leaked into a benchmark",
    "what is grokking",
    "who proposed the transformer architecture?",
    "does chain-of-thought prompting help small models, or does it hurt them?",
    "when is it worth ensembling networks?",
    "the role of momentum in SGD",
    "what does mixup do to calibration?",
    "is there work on pruning attention heads?",
    "which paper introduced RLHF for summarization?",
    "are larger models more calibrated than smaller ones?",
    "are humans better than LLMs at judging their own mistakes?",
    "in federated learning, how do clients keep their data private?",
    "compare PPO with DPO",
    "what happens to BERT's attention if you shuffle the words?",
    "is batch norm needed at all?",
    "does this library have anything on protein design?",
    "evidence that in-context learning is gradient descent",
    "if I only have 100 labels, should I use them for fine-tuning or for prompting?",
    "what causes loss spikes during pretraining and how can they be avoided?",
    "why is it hard to train GANs?",
    "do LLMs that are aligned lose their diversity",
    "LLM watermarking: can it be removed?",
    "what is the best optimizer for transformers?",
    "does data augmentation help when there is a lot of data?",
    "math word problems - do models reason or pattern-match on them?",
    "can you find papers on speech translation?",
    "any survey on continual learning?",
    "which methods reduce the memory of the optimizer states?",
    "how do sparse autoencoders find features?",
    "what limits the context length of transformers",
    "is self-consistency better than greedy decoding?",
    "how is perplexity related to downstream accuracy?",
    "can models be trained to say they don't know?",
    "do adversarial examples transfer between architectures, and what explains this?",
    "effect of tokenization on arithmetic",
    "why does label smoothing hurt distillation",
    "how do you pick the KL coefficient in RLHF?",
    "which layers of BERT encode syntax?",
    "does reinforcement learning from verifiable rewards teach new skills or does it only sharpen old ones?",
    "are there theoretical guarantees for gradient clipping?",
    "what's the difference between LoRA and adapters",
    "how to make a small model imitate its teacher",
    "is there any benchmark for long-context retrieval?",
    "multi-task learning: when do tasks hurt each other?",
    "could an LLM hide its reasoning from its overseer?",
    "papers about the geometry of word embeddings",
    "do we need attention at all in vision?",
    "the impact of duplicates in training data",
]


def test_most_follow_ups_are_recognized(encoder: QuestionEncoder) -> None:
    queries = [understand(question, [turn(FIRST)], encoder=encoder) for question in FOLLOW_UPS]
    assert sum(query.is_follow_up for query in queries) >= 0.95 * len(queries)


def test_most_standalone_questions_are_recognized(encoder: QuestionEncoder) -> None:
    queries = [understand(question, [turn(FIRST)], encoder=encoder) for question in STANDALONE]
    assert sum(not query.is_follow_up for query in queries) >= 0.8 * len(queries)


def test_with_another_embedder_the_form_of_a_message_and_its_reading_decide(messages: MessageReader) -> None:
    word_hash = QuestionEncoder(WordHashEmbedder(), messages=messages)
    queries = [understand(question, [turn(FIRST)], encoder=word_hash) for question in FOLLOW_UPS]
    assert sum(query.is_follow_up for query in queries) >= 0.9 * len(queries)
    queries = [understand(question, [turn(FIRST)], encoder=word_hash) for question in STANDALONE]
    assert sum(not query.is_follow_up for query in queries) >= 0.85 * len(queries)


def test_without_any_model_the_form_of_a_message_decides() -> None:
    for questions, is_follow_up in ((FOLLOW_UPS, True), (STANDALONE, False)):
        queries = [understand(question, [turn(FIRST)]) for question in questions]
        assert sum(query.is_follow_up is is_follow_up for query in queries) >= 0.65 * len(queries)


@pytest.mark.parametrize(
    "question",
    [
        "Does sourdough bread rise by wild yeast?",
        "How do honey bees communicate?",
        "Which bacteria live in sourdough?",
        "What is a waggle dance?",
        "Do vaccines cause fever?",
        "How does bread rise?",
    ],
)
def test_a_short_complete_question_on_another_topic_stands_alone(
    encoder: QuestionEncoder, messages: MessageReader, question: str
) -> None:
    for chosen in (encoder, QuestionEncoder(WordHashEmbedder(), messages=messages)):
        assert not understand(question, [turn(FIRST)], encoder=chosen).is_follow_up


@pytest.mark.parametrize("question", ["Why?", "And in winter?", "[2]", "Does the second paper agree?"])
def test_a_follow_up_is_prefixed_with_the_question_that_it_depends_on(encoder: QuestionEncoder, question: str) -> None:
    expected = Query(question, f"{FIRST} {question}", is_follow_up=True)
    assert understand(question, [turn(FIRST)], encoder=encoder) == expected


@pytest.mark.parametrize("question", ["How do bees find their hive by night?", "new topic: honey bees and pesticides"])
def test_a_standalone_question_is_not_prefixed(encoder: QuestionEncoder, question: str) -> None:
    query = understand(question, [turn(FIRST)], encoder=encoder)
    assert not query.is_follow_up
    assert query.standalone in question  # the opening that announces a new topic is not searched for


@pytest.mark.parametrize("message", ["?", "\u202e\u2066", "...", "\x00"])
def test_a_message_without_letters_is_no_follow_up(message: str) -> None:
    assert not understand(message, [turn(FIRST)]).is_follow_up


@pytest.mark.parametrize("message", ["a" * 4000, "\u202eand in winter\u202c?", "и зимой?", "冬は？"])
def test_any_message_is_understood_in_a_conversation(encoder: QuestionEncoder, message: str) -> None:
    assert message in understand(message, [turn(FIRST)], encoder=encoder).standalone


@pytest.mark.parametrize("question", FOLLOW_UPS + STANDALONE)
def test_without_a_conversation_nothing_is_added(question: str) -> None:
    assert understand(question) == Query(question, question)


def test_a_second_follow_up_keeps_the_topic() -> None:
    history = [turn(FIRST), turn("Why?", understand("Why?", [turn(FIRST)]).standalone)]
    assert FIRST in understand("And in winter?", history).standalone


def test_a_long_conversation_does_not_lengthen_the_query() -> None:
    history = [turn(FIRST)]
    for _ in range(100):
        history.append(turn("And in winter?", understand("And in winter?", history).standalone))
    assert len(history[-1].answer.standalone) < 200


def test_a_follow_up_continues_the_latest_topic() -> None:
    history = [turn(FIRST), turn("How do honey bees communicate?")]
    assert understand("And at night?", history).standalone == "How do honey bees communicate? And at night?"


def test_white_space_around_and_within_a_question_does_not_matter() -> None:
    assert understand("  Do\tbees\n\ndance? ").text == "Do bees dance?"


def test_a_question_up_to_the_limit_is_accepted() -> None:
    assert understand("a" * 4000).text == "a" * 4000
    assert understand("a" * 120, limit=120).text == "a" * 120


def test_a_question_above_the_limit_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^question: 20,000 characters are too many for a question \(most: 4,000\)$"):
        understand("a" * 20_000)


def test_a_nul_separates_words_beside_mark_up_too() -> None:
    query = understand("warmup\0[2] &\0year>=2020")
    assert (query.text, query.standalone) == ("warmup [2] & year>=2020", "warmup [2] &")
    assert query.filters == Filters(since=2020)


def test_a_question_with_invalid_characters_can_be_encoded() -> None:
    assert understand("\ud800glaciers\udcff").standalone.encode().count(b"glaciers") == 1


# --- switches and returns --------------------------------------------------------------------------------------------

TALK = [
    turn(FIRST, cited=[ICE]),
    turn("How do honey bees communicate?", cited=[BEES]),
    turn("And at night?", "How do honey bees communicate? And at night?"),
]


@pytest.mark.parametrize(
    ("question", "searched"),
    [
        ("ok different thing: which bacteria live in sourdough?", "which bacteria live in sourdough?"),
        ("New topic - which bacteria live in sourdough?", "which bacteria live in sourdough?"),
        ("something else: which bacteria live in it, the sourdough?", "which bacteria live in it, the sourdough?"),
        ("switching topics. sourdough bacteria", "sourdough bacteria"),
        ("new optimizers for transformers", "new optimizers for transformers"),
    ],
)
def test_an_announced_topic_switch_ends_the_context(question: str, searched: str) -> None:
    assert understand(question, TALK) == Query(question, searched)


@pytest.mark.parametrize(
    "question",
    [
        "back to the Alps: what drives it?",
        "going back to ice, is the loss speeding up?",
        "Returning to the ice of the Alps, who measured that?",
    ],
)
def test_a_question_can_return_to_an_earlier_topic(encoder: QuestionEncoder, question: str) -> None:
    standalone = understand(question, TALK, encoder=encoder).standalone
    assert standalone.startswith(FIRST)
    assert "bees" not in standalone


def test_a_return_is_followed_up_on_the_topic_that_it_returned_to(encoder: QuestionEncoder) -> None:
    question = "back to the Alps: what drives it?"
    history = [*TALK, turn(question, understand(question, TALK, encoder=encoder).standalone)]
    assert understand("And in winter?", history, encoder=encoder).standalone == f"{FIRST} And in winter?"


def test_without_an_earlier_topic_a_return_stays_with_the_only_one() -> None:
    assert understand("back to that, why?", [turn(FIRST)]).standalone == f"{FIRST} back to that, why?"


def test_an_ordinal_adds_the_second_of_two_coordinated_names() -> None:
    history = [turn("How do Adam-mini and NovoGrad save memory?", cited=[ICE, BEES])]
    query = understand("does the second one need tuning?", history)
    assert query.standalone == "How do Adam-mini and NovoGrad save memory? NovoGrad does the second one need tuning?"
    assert query.scope == Scope()


# --- scope -----------------------------------------------------------------------------------------------------------

CITING = [turn(FIRST, cited=[ICE, BEES, BREAD])]


@pytest.mark.parametrize(
    ("question", "pinned"),
    [
        ("[2]", ("bees",)),
        ("does [1] say why?", ("ice",)),
        ("do [1] and [3] agree?", ("ice", "bread")),
        ("what does paper 2 measure?", ("bees",)),
        ("summarize the third paper", ("bread",)),
        ("what about the first one?", ("ice",)),
        ("who wrote the last paper?", ("bread",)),
        ("What does The Waggle Dance Decoded say of old bees?", ("bees",)),
        ("what did Thaw find in winter?", ("ice",)),
        ("does Melloul's network read it?", ("bees",)),
        ("Thaw et al. mention rain, do others?", ()),
        ("Thaw et al. measure what exactly?", ("ice",)),
        ("Thaw and frost in winter, what do they do to rocks?", ()),
        ("Which starters are used for rye bread?", ()),
        ("who wrote this?", ("ice", "bees", "bread")),
        ("what do these papers have in common?", ("ice", "bees", "bread")),
        ("[7]", ()),
        ("does ice thaw faster now?", ()),
        ("has Melloul written anything else about dances?", ()),
        ("Which bacteria live in sourdough?", ()),
        ("How much of it melts in summer?", ()),
    ],
)
def test_papers_named_by_number_title_or_author_are_pinned(question: str, pinned: tuple[str, ...]) -> None:
    assert understand(question, CITING).scope == Scope(pinned)


def test_a_number_refers_to_the_latest_answer_with_citations() -> None:
    history = [turn(FIRST, cited=[ICE, BREAD]), turn("How do bees dance?", cited=[BEES]), turn("Do snails?")]
    assert understand("[1]", history).scope == Scope(("bees",))
    assert understand("[2]", history).scope == Scope()


def test_named_papers_cannot_extend_the_scope_of_the_caller() -> None:
    assert understand("[2]", CITING, scope=Scope(("ice", "bees"))).scope == Scope(("bees",))
    assert understand("[2]", CITING, scope=Scope(("ice",))).scope == Scope(("ice",))
    assert understand("[2]", CITING, scope=Scope((), ("bees",))).scope == Scope((), ("bees",))
    assert understand("[1]", CITING, scope=Scope((), ("bees",))).scope == Scope(("ice",), ("bees",))
    assert understand("[1]", CITING, scope=Scope(collections=("c",))).scope == Scope(("ice",), (), ("c",))


# --- filters ---------------------------------------------------------------------------------------------------------


def test_filters_leave_the_text_that_is_searched() -> None:
    query = understand("glaciers year>=2020 -bees")
    assert query == Query("glaciers year>=2020 -bees", "glaciers", Filters(since=2020, without=("bees",)))


def test_a_query_of_filters_alone_is_blank() -> None:
    assert understand("year>=2020").is_blank
    assert not understand("ice year>=2020").is_blank


def test_a_question_that_leans_keeps_the_filters_of_what_it_leans_on(encoder: QuestionEncoder) -> None:
    since = Filters(since=2020)
    history = [turn("glaciers year>=2020", "glaciers", filters=since)]
    assert understand("and in winter?", history, encoder=encoder) == Query(
        "and in winter?", "glaciers and in winter?", since, is_follow_up=True
    )
    assert understand("and in winter? year<2000", history, encoder=encoder).filters == Filters(until=1999)
    assert understand("How do honey bees communicate?", history, encoder=encoder).filters == Filters()


def test_an_author_is_a_filter_where_the_library_knows_the_name() -> None:
    question = "what is proven by Ada Berg?"
    assert understand(question, is_author=lambda name: name == "Ada Berg").filters == Filters(authors=("Ada Berg",))
    assert understand(question).filters == Filters()


def test_a_question_with_markup_is_the_question_without_it() -> None:
    assert understand("<b>what</b> is DPO? ![x](http://a/b)") == understand("what is DPO?")


@pytest.mark.parametrize("topic", ["what is reward hacking", "what is DPO?", "does warmup help Adam?"])
@pytest.mark.parametrize(
    "question",
    [
        "compare DPO and PPO",
        "which papers use Bayesian optimisation?",
        "define alignment tax",
        "what is likelihood displacement?",
        "who wrote Goedel-Prover?",
    ],
)
def test_a_complete_question_about_a_near_topic_stands_alone(
    encoder: QuestionEncoder, topic: str, question: str
) -> None:
    assert not understand(question, [turn(topic)], encoder=encoder).is_follow_up


@pytest.mark.parametrize("question", ["compare it with PPO", "and what about PPO?", "compare that with PPO", "vs PPO?"])
def test_a_request_that_names_one_side_only_is_a_follow_up(encoder: QuestionEncoder, question: str) -> None:
    assert understand(question, [turn("what is DPO?")], encoder=encoder).is_follow_up
