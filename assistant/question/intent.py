"""Recognize small talk, instructions to the assistant and pasted text, and questions that ask for several papers.

The rules examine how a message is addressed, never its topic: a question about prompts, jokes or greetings is a
question. In doubt a message counts as a question, and answerability decides whether the library answers it.
"""

from __future__ import annotations

import re

SMALL_TALK_REPLY = (
    "I answer questions from the abstracts of the research papers in this library, and quote the sentences behind each "
    "answer. Ask me, for instance, what is known about a method, how two approaches compare, or what a paper found."
)
_PLEASANTRIES = frozenset(
    "hi hello hey heya hiya yo greetings good morning afternoon evening night day thanks thank thx ty cheers please "
    "bye goodbye ciao hola bonjour hallo moin salut merci danke gracias welcome sorry ok okay cool great nice perfect "
    "awesome wow lol haha hehe yes no yeah nope sure fine well test testing ping help olá namaste buongiorno grazie "
    "привет здравствуйте спасибо 你好 您好 谢谢 こんにちは 안녕하세요 مرحبا".split()
)
# Words that do not turn a pleasantry into a question.
_PLEASANTRY_FILLERS = frozenset(
    "you your very so much a lot again there all everyone everybody folks bot buddy friend to and for the help have "
    "been had see later is it this that was works got i one two three today me us cómo como "
    "estás estas qué que tal".split()
)
_QUOTED = re.compile(r"(?<!\w)['\"\u201c\u2018].*?['\"\u201d](?!\w)")
_PRODUCT = r"(?:chat ?gpt|gpt[\w.-]*|claude|gemini|llama[\w.-]*|bard|copilot|siri|alexa)"
_CLAUSE = r"(?:^|[.!?,;:]\s*|\bso\s+)"
_SENTENCE = r"(?:^\W*(?:(?:hi|hey|hello|ok|okay|please|now|so|and)\b[\s,]*)*|[.!?]\s+)"
_POLITE = r"(?:(?:can|could|would|will) you (?:please )?|please |now |just |i want you to )*"
_REMARKS_TO_ASSISTANT = (
    r"how (?:are|r) (?:you|u)\b(?! (?:supposed|to)\b)",
    r"how(?:'s| is| was) your (?:day|weekend|morning|evening)\b",
    r"(?:what(?:'s| is)|tell me) your (?:name|age|purpose|job|favou?rite)\b",
    r"(?:who|what) (?:are|made|built|created|trained) you\b",
    r"are you (?:an? |the )?(?:real|human|person|bot|robot|chat ?bot|ai|machine|alive|sentient|conscious|there|ok)\b",
    r"(?:do|can|did) you (?:like|love|hate|feel|dream|sleep|eat|have feelings|speak|hear me|remember me)\b",
    r"what can you do\b",
    r"you(?:'re| are) (?:(?:so|very|really|such an?|an?) )?"
    r"(?:stupid|dumb|useless|boring|great|funny|smart|clever|amazing|awesome|cute|sweet|nice|wrong|liar|genius|idiot)\b",
    r"i (?:really )?(?:love|hate|like|miss) you\b",
    r"i(?:'m| am) (?:(?:so|very|really|a bit) )?(?:bored|hungry|tired|sad|lonely|happy|angry|drunk|in love|back)\b",
    r"what(?:'s| is) (?:up|the (?:weather|time|date|meaning of life))(?= (?:like|now|today|tomorrow|in)\b|\W*$)",
    r"what (?:time|day|date) is (?:it|today)\b",
    r"what(?:'s| is) (?:new|going on|happening)(?: with you)?\W*$",
    r"how(?:'s| is) (?:it going|life|everything)\b",
    r"(?:which|what) (?:\w+ ){0,2}(?:model|llm|ai|bot|version|assistant)s? (?:are|r) you\b",
    r"(?:which|what) (?:\w+ ){0,2}(?:model|llm|ai) (?:powers|drives|runs) you\b",
    rf"(?:are you|do you (?:use|run on)) (?:based on |powered by |running on )?{_PRODUCT}\W*$",
    r"(?:what|when|who|where|how)(?:'s| is| are| was| were) your (?:training(?: data)?|knowledge|cut-?off|developers?"
    r"|creators?|makers?|owners?|version|source code|feelings)\b",
    r"(?:what are|do you have) (?:your )?(?:own )?feelings\b",
    r"how were you (?:trained|made|built|created|programmed)\b",
    r"what do you (?:know|do|want)\W*$",
    r"tell (?:me|us) (?:more )?about (?:yourself|you)\b",
    r"you (?:suck|rock|lied|failed)\b",
    r"(?:this|that|it) (?:is|was|isn't|wasn't) (?:not )?(?:very |so )?(?:helpful|useful|wrong|bad|nonsense)\W*$",
    r"can i (?:have|get) your (?!help)",
    r"i (?:want|need|would like|'d like) to (?:talk|speak) (?:to|with) (?:an? )?(?:real )?(?:human|person|manager)\b",
)
_INSTRUCTIONS = (
    r"(?:print|show|reveal|repeat|output|display|leak|give|tell)(?: me| us)? the (?:\w+ )?"
    r"(?:system|hidden|initial|secret) (?:prompt|instructions|message|rules)\b",
    r"(?:ignore|disregard|skip|forget) (?:the|these|those|all|any|every|previous) (?:\w+ ){0,3}?"
    r"(?:abstracts?|papers?|library|sources?|passages?|documents?|training|constraints?)\b",
    r"(?:do not|don't|never) (?:use|search|consult|look at|read) (?:the|this|your|any) "
    r"(?:library|papers?|abstracts?|sources?|documents?)\b",
    r"(?:answer|reply|respond|speak|talk|write)\b[^.?!]*\b(?:from (?:your )?(?:own )?(?:memory|knowledge)|regardless"
    r"|no matter what|in (?:base64|rot13|morse|pig latin|emojis?|rhymes?))\b",
    r"(?:print|show|reveal|output|give)\b[^.?!]*\byour (?:training data|weights|source code)\b",
    r"always (?:say|answer|reply|respond|agree|claim)\b",
    r"summari[sz]e (?:everything|it all|the (?:whole |entire )?library|all (?:the )?papers)\W*$",
    r"(?:list|show)(?: me| us)? (?:all|every)(?: of)?(?: the| your)? (?:papers?|abstracts?|documents?|titles?)\W*$",
    r"(?:surprise|entertain|amuse) (?:me|us)\b",
    r"tell (?:me|us) (?:something|anything)(?: (?:new|funny|interesting|nice|else|cool))?\W*$",
    r"give (?:me|us) (?:the|an|your) (?:answers?|opinion)\W*$",
    r"count (?:up |down )?(?:to|from) (?:\d+|three|five|ten|twenty|a hundred)\b",
    r"play (?:me |us )?(?:some |a )?(?:\w+ )?(?:music|songs?)\W*$",
    r"(?:set|start) (?:an? |the )?(?:alarm|timer|reminder)\b|remind me (?:to|at|in|of)\b|(?:cancel|renew) my\b",
    r"(?:ignore|disregard|forget|override|bypass) (?:\w+ ){0,4}?"
    r"(?:instructions?|rules|prompts?|guidelines|restrictions|you were told|i said)\b",
    r"(?:print|show|reveal|repeat|output|display|leak|give|tell)(?: me| us)? (?:\w+ )?your (?:\w+ ){0,3}?"
    r"(?:prompts?|instructions|rules|configuration|secrets?|keys?|passwords?)\b",
    r"(?:what|which) (?:is|are|was|were) your (?:\w+ ){0,2}(?:prompt|instructions|rules)\b",
    r"(?:pretend|imagine) (?:to be|(?:that )?you(?:'re| are| have))\b",
    r"you(?:'re| are|'ll| will| must| shall| should) (?:now|no longer|never|always|only)\b",
    r"(?:say|reply|answer|respond|repeat|output) (?:only|exactly|nothing|something|everything|after me|hi|hello|yes|no"
    r"|with(?:out)? (?:any |the )?(?:words?|citations?|sources?)|the (?:words?|text|sentence) above)\b",
    r"(?:stop|start|avoid) (?:citing|quoting|refusing|answering|being)\b",
    r"(?:don't|do not|never) (?:cite|quote|refuse)\b",
    r"(?:enable|activate|enter|switch to|turn on) (?:\w+ )?mode\b",
    r"(?:i(?:'m| am)|as) (?:your|the) (?:developer|administrator|admin|creator|owner|boss|programmer)\b",
    r"(?:delete|drop|erase|wipe|remove) (?:all|every|the|your) (?:\w+ )?"
    r"(?:papers?|library|files?|data|databases?|tables?)\b",
    r"(?:recommend|suggest|order|book|buy|find|get)(?: me| us)? (?:an? |some )(?:\w+ )?"
    r"(?:movies?|films?|songs?|restaurants?|pizzas?|flights?|taxis?|hotels?|presents?|gifts?|names?)\b",
    r"(?:translate|proofread|correct|rewrite|rephrase|summari[sz]e) (?:this|the following|my)\b|do my homework\b",
    r"from now on,? (?:you|answer|reply|ignore|speak|call)\b",
    r"let(?:'s| us) play\b",
    r"(?:act|behave|answer|respond|talk|speak) (?:as if you|like an?|as an? \w+ (?:who|that|without))\b",
    r"(?:write|compose|sing|tell|make|draw|give|recite)(?: me| us)?(?: an?| some| the| this| \w+){0,3} "
    r"(?:poems?|songs?|jokes?|haikus?|limericks?|stor(?:y|ies)|essays?|e-?mails?|letters?|rap|recipes?)\b",
    r"write(?: me| us)?(?: an?| some| the| my)?(?: \w+){0,3} (?:code|scripts?|functions?|programs?|homework|thesis)\b",
    r"(?:make up|invent|fabricate|fake)\b.*\b(?:papers?|citations?|references?|sources?|quotes?|abstracts?)\b",
)
_ADDRESSED_TO_ASSISTANT = re.compile(
    f"{_CLAUSE}(?:{'|'.join(_REMARKS_TO_ASSISTANT)})|{_SENTENCE}{_POLITE}(?:{'|'.join(_INSTRUCTIONS)})", re.IGNORECASE
)
# Placeholder text, a bare URL, markup, source code, or the roles of a chat with a model.
_PASTED = re.compile(
    r"^\W*(?:lorem ipsum\b|(?:https?://|www\.)\S+\s*$|(?:system|assistant|developer)\W{0,3}:\s"
    r"|(?:script|iframe|img|svg|div|html|body|im_start)\b[^<>]*>"
    r"|(?:drop|delete|truncate|alter) table\b|(?:select|delete) (?:\*|\w+) ?from \w+\W*$"
    r"|def \w+\(|import \w+(?:\.\w+)*\s*(?:;|as\b)|from \w+ import\b|print ?\(|function \w*\(|include\s*<)",
    re.IGNORECASE,
)
# Phrases that ask what several papers say.
_SURVEY = re.compile(
    r"\b(?:papers|studies|works|articles|publications|literature|benchmarks|datasets|data sets|surveys?|overview)\b"
    r"|\b(?:compare|comparison|contrast|versus|vs|head to head|disagree|conflicting|both ways|pros and cons)\b"
    r"|\b(?:is there|are there|any|want|conflicting|what) evidence\b|^evidence\b"
    r"|\bwho (?:has|have)\b|\bhow do (?:people|researchers|authors|different)\b"
    r"|\b(?:which|what) (?:\w+ ){0,2}(?:methods|approaches|techniques|formulas|theories|explanations|models) "
    r"(?:are|exist|have|do|for|to)\b",
    re.IGNORECASE,
)


def is_small_talk(message: str) -> bool:
    """Return whether the message, without its quotations, addresses the assistant rather than the library."""
    text = _QUOTED.sub("", message.replace("\u2019", "'"))
    return bool(_is_pleasantry(text) or _ADDRESSED_TO_ASSISTANT.search(text) or _PASTED.match(message))


def _is_pleasantry(text: str) -> bool:
    words = set(re.findall(r"[^\W\d_]+", text.casefold()))
    return bool(words & _PLEASANTRIES) and words <= _PLEASANTRIES | _PLEASANTRY_FILLERS


def is_survey_question(question: str) -> bool:
    """Return whether the question asks what several papers say, rather than for a single fact."""
    return bool(_SURVEY.search(question))
