# METADATA
# title: Secrets
# description: |
#   Secrets are known by the paths of their parameters, never by their values: whether a parameter is there, and whether
#   a name says that what it names is a secret itself.
package lib.secret

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.stack

# The parameter is there, and its description can be read.
there(name) := check.equals_handle(name, "the parameter is there", aws.parameter(name, "metadata", ["Name"]), name)

# Whether the name says that what it names is a secret. The name of a path or an ARN says that it only leads to one.
is_named_by(name) if {
	words := _words(name)
	last := words[count(words) - 1]
	not last in _names.references
	not upper(name) in _names.harmless
	_says_secret(words)
}

# Whether the name says that what it names leads to a secret: the path or the ARN of one.
leads_to_one(name) if {
	words := _words(name)
	last := count(words) - 1
	words[last] in _names.references
	not upper(name) in _names.harmless
	_says_secret(array.slice(words, 0, last))
}

# The outputs of a stack that are not marked as sensitive, and whose names say that they are secrets, sorted.
shown_outputs(name) := sort([output |
	some output, shown in _outputs(name)
	is_named_by(output)
	not _is_sensitive(shown)
])

_names := data.contract.m2.secrets.names

# The words of a name, without the numbers and the words that only tell one of several from the others.
_words(name) := [word |
	some part in split(replace(lower(name), "-", "_"), "_")
	word := trim_right(part, "0123456789")
	word != ""
	not word in _names.qualifiers
]

_says_secret(words) if words[count(words) - 1] in _names.last_words

_says_secret(words) if {
	some word in words
	word in _names.words
}

_says_secret(words) if {
	some phrase in _names.phrases
	contains(concat("_", words), phrase)
}

_outputs(name) := values if {
	values := fact.value(stack.answer(name, "outputs", ["values"]))
	is_object(values)
} else := {}

_is_sensitive(output) if {
	is_object(output)
	object.get(output, "sensitive", false) == true
}
