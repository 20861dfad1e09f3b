import time

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.tagger.tokenizer import SPACE, tokenize

FUNCTION = tf.function(tokenize, input_signature=[tf.TensorSpec([None], tf.string)])

SENTENCES = """
I don't know; he'll say it's Ann's.         | I do n't know ; he 'll say it 's Ann 's .
I’d’ve, they`re, CAN'T                      | I ’d ’ve , they `re , CA N'T
We cannot, wont, gonna, gotta, outta.       | We can not , wo nt , gon na , got ta , out ta .
im sure thats alot                          | i m sure that s a lot
O'Neil's dogs' beds, d'accord               | O'Neil 's dogs ' beds , d'accord
get'em in the '60s or the 1960's            | get 'em in the '60s or the 1960's
a 15-year-old, well-known e-mail            | a 15 - year - old , well - known e-mail
Non-members re-elected pro-Düsseldorfers    | Non-members re-elected pro-Düsseldorfers
Mr. and Mrs. Ito, i.e. Drs. B. C. Ito       | Mr. and Mrs. Ito , i.e. Drs. B. C. Ito
tea, milk, etc. were sold in the U.S.       | tea , milk , etc. were sold in the U.S .
She (tea, milk, etc.)                       | She ( tea , milk , etc . )
Wait..! Nuts, etc... so did I. Bye          | Wait ..! Nuts , etc ... so did I . Bye
He sat. No. Then he ran.                    | He sat . No . Then he ran .
1,000 or 3.5 or $5 or $$ or €7.20 or 50%    | 1,000 or 3.5 or $ 5 or $$ or € 7.20 or 50 %
at 5:30, 5pm, 12 a.m. on 3/4/2005           | at 5:30 , 5 pm , 12 a.m. on 3/4/2005
555-0123, 555-012-3456, 1990-1995, 3-4      | 555-0123 , 555-012-3456 , 1990 - 1995 , 3 - 4
the 1st, 22ND, 4G, 65K, 2x                  | the 1st , 22ND , 4G , 65 K , 2 x
see https://a.example/b?c=d&e=(f). Or       | see https://a.example/b?c=d&e=(f ) . Or
(www.example.org/~me/), file:///x/é         | ( www.example.org/~me/ ) , file:///x/é
mail jo.doe+x@example.org, jo...@a.example  | mail jo.doe+x@example.org , jo...@a.example
@jo read my_list-2.PDF, example.com         | @ jo read my_list-2.PDF , example.com
in alt.tea.green :-) ;D ^_^ as follows:(1)  | in alt.tea.green :-) ;D ^_^ as follows : ( 1 )
and/or w/o R&D -- no - **so** ->            | and / or w/o R&D -- no - ** so ** ->
2+2=4, f(x)=[y]                             | 2 + 2 = 4 , f ( x ) = [ y ]
"Go!" 'Why?!' “Now,” ‘he’ ''so''            | " Go ! " ' Why ?! ' “ Now , ” ‘ he ’ '' so ''
« Où ? » … ¿qué? „Ja“, ц—ч                  | « Où ? » … ¿ qué ? „ Ja “ , ц — ч
水を飲む。はい！                            | 水を飲む 。 はい ！
می‌روم؟                                      | می‌روم ؟
👩‍🚒👍🏽❤️!                                      | 👩‍🚒 👍🏽 ❤️ !
"""


def words_of(texts):
    return [[word.decode() for word in row] for row in FUNCTION(tf.constant(texts)).to_list()]


@pytest.mark.parametrize("line", SENTENCES.strip().splitlines())
def test_sentences(line):
    text, words = (part.strip() for part in line.split(" | "))
    assert words_of([text]) == [words.split(" ")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\n\v\r ", []),
        ("\u00a0a\u200bb\u3000c\u2028d\ufeff", ["a", "b", "c", "d"]),
        ("a\nb.\r\n", ["a", "b", "."]),
        ("a\x00b\x07", ["a", "\x00", "b", "\x07"]),
        (b"caf\xe9 \xff", ["caf", "\ufffd", "\ufffd"]),
        ("e\u0301t\u00ade\u0301", ["e\u0301t\u00ade\u0301"]),
    ],
)
def test_odd_input(text, words):
    assert words_of([text]) == [words]


def test_an_empty_batch_has_no_words():
    assert tokenize(tf.zeros([0], tf.string)).shape.as_list() == [0, None]


# Pieces at which rules begin and end, combined in ways that don't occur in real sentences.
PIECES = st.sampled_from(
    [
        *"aAbIMst01.,:;-_/'’`@#&$!?=~<>()[]^*+|…”\" \u00a0\x00",
        *"é中\u017f\u212a\u0301\u200b\u200d\u00ad😀",
        *("n't", "'s", "'ll", "'em", "'72", "can", "not", "do", "nt", "i", "ve", "a", "lot", "th"),
        *("http://", "www.", ".com", ".doc", "Mr.", "etc.", "U.S.", "non-", "..", ":D", "(:", "12"),
    ]
)
TEXTS = st.lists(
    st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=12), min_size=20, max_size=20
)


@settings(deadline=None, max_examples=40)
@given(TEXTS)
@example(["n'tn't it's's a..b..C..@ ?..@ etc..", "B.. U.S... :(a ///::((/", "'\u017f2 x.u\u212aa"])
def test_the_joined_words_are_the_text_without_white_space(texts):
    words = words_of(texts)
    assert ["".join(row) for row in words] == [
        text.decode() for text in tf.strings.regex_replace(texts, SPACE, "").numpy()
    ]
    assert all(word and word.split() == [word] for row in words for word in row)
    assert words_of([" ".join(row) for row in words]) == words


@given(st.lists(st.binary(max_size=20), min_size=30, max_size=30))
@settings(deadline=None, max_examples=20)
def test_any_bytes(texts):
    unicode = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    expected = tf.strings.regex_replace(unicode, SPACE, "").numpy()
    assert ["".join(row).encode() for row in words_of(texts)] == list(expected)


def test_words_do_not_depend_on_the_batch():
    texts = ["Don't.", "", "a b", "$5"]
    assert words_of(texts) == [words_of([text])[0] for text in texts]


@pytest.mark.parametrize(
    "piece",
    ["a", "é__", "a-", "a__", "a.1_~#", "ab.cc-", "a%+-", "http://!", "A.", "..a", "é'", "1-", "("],
)
def test_time_is_linear_without_spaces(piece):
    text = piece * (120_000 // len(piece.encode()))
    FUNCTION(tf.constant(["a"]))  # traces
    start = time.perf_counter()
    words = words_of([text])[0]
    assert "".join(words) == text
    assert time.perf_counter() - start < 5  # a quadratic rule takes 10 s or more, a linear one 0.1


def test_an_export_returns_the_same_words(tmp_path):
    module = tf.Module()
    module.tokenize = FUNCTION
    tf.saved_model.save(module, str(tmp_path / "export"))
    used = {operation.type for operation in FUNCTION.get_concrete_function().graph.get_operations()}
    assert not {"PyFunc", "EagerPyFunc"} & used
    text = tf.constant([line.split(" | ")[0] for line in SENTENCES.strip().splitlines()])
    answer = tf.saved_model.load(str(tmp_path / "export")).tokenize(text)
    assert answer.to_list() == FUNCTION(text).to_list()
