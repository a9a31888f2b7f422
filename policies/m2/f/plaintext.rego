package m2.f

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.secret
import data.lib.stack

# METADATA
# title: Secret in plain text
# description: |
#   The scan found a secret in what must hold none: outputs, plans, logs, the edge's environment. Or it did not look at
#   one of these places, or an output that is not marked as sensitive bears the name of a secret. A secret in an output
#   or a log also reaches every evidence file that is made of it, so these are the places to look at.
# custom:
#   code: M2F-B4
#   severity: S1
#   taxonomy: M2-B4
#   remediation: >-
#     Take the secret out of the named place, mark the output as sensitive or output the parameter's path instead, and
#     rotate the secret: it is known now. A place that was not scanned could not be read; see its own fact.
b4 contains check.of({
	"subject": "plaintext_scan",
	"claim": "no secret stands in plain text",
	"refs": [_scan(["findings"])],
	"handles": [],
	"holds": check.same(fact.value(_scan(["findings"])), []),
	"expected": [],
	"actual": fact.value(_scan(["findings"])),
})

b4 contains check.of({
	"subject": "plaintext_scan",
	"claim": "no place was left unread",
	"refs": [_scan(["sources"])],
	"handles": [],
	"holds": count(_unscanned) == 0,
	"expected": [],
	"actual": _unscanned,
	"violation": "unreadable",
})

b4 contains check.of({
	"subject": name,
	"claim": "what Terraform shows of it was scanned",
	"refs": [_scan(["sources"])],
	"handles": [],
	"holds": count(_missed(_stack_sources(name))) == 0,
	"expected": [],
	"actual": _missed(_stack_sources(name)),
	"violation": "unreadable",
}) if {
	some name, _ in data.contract.m2.stacks
}

b4 contains check.of({
	"subject": _function,
	"claim": "its environment was scanned",
	"refs": [_scan(["sources"])],
	"handles": [_function],
	"holds": count(_missed([_function_source])) == 0,
	"expected": [],
	"actual": _missed([_function_source]),
	"violation": "unreadable",
})

b4 contains check.of({
	"subject": name,
	"claim": "no output that is shown bears the name of a secret",
	"refs": [stack.answer(name, "outputs", ["values"])],
	"handles": [],
	"holds": count(secret.shown_outputs(name)) == 0,
	"expected": [],
	"actual": secret.shown_outputs(name),
}) if {
	some name, _ in data.contract.m2.stacks
}

# METADATA
# title: Edge authenticates by something else than a path
# description: |
#   `SSM_IG_API_KEY_PATH`, `IG_AUTH_MODE` or `IG_AUTH_HEADER_NAME` is not pinned, or the function is not given what it
#   pins; or a variable of the function or an output of its stack bears the name of a key, a secret, a token or a
#   password. A variable may only carry the path of one.
# custom:
#   code: M2F-B5
#   severity: S1
#   taxonomy: M2-B11
#   remediation: >-
#     Give the function the parameter's path as `SSM_IG_API_KEY_PATH`, let it read the key itself, remove the inline
#     value and rotate it.
b5 contains check.equals_handle(name, "the function is given it", _variables([name]), name) if {
	some name in [_edge.key_path, _edge.mode.handle, _edge.header]
}

b5 contains check.of({
	"subject": _edge.mode.handle,
	"claim": "it is one of the contract's modes",
	"refs": [],
	"handles": [_edge.mode.handle],
	"holds": handle.value(_edge.mode.handle) in _edge.mode.allowed,
	"expected": _edge.mode.allowed,
	"actual": handle.value(_edge.mode.handle),
})

b5 contains check.of({
	"subject": _edge.header,
	"claim": "it is the name of a header",
	"refs": [],
	"handles": [_edge.header],
	"holds": _is_header(handle.value(_edge.header)),
	"expected": "letters, digits and dashes",
	"actual": handle.value(_edge.header),
})

b5 contains check.of({
	"subject": _function,
	"claim": "no variable carries a secret itself",
	"refs": [_variables([])],
	"handles": [],
	"holds": count(_secret_variables) == 0,
	"expected": [],
	"actual": _secret_variables,
})

b5 contains check.of({
	"subject": _edge.stack,
	"claim": "no output carries a secret of the edge",
	"refs": [stack.answer(_edge.stack, "outputs", ["values"])],
	"handles": [],
	"holds": count(secret.shown_outputs(_edge.stack)) == 0,
	"expected": [],
	"actual": secret.shown_outputs(_edge.stack),
})

_edge := _secrets.edge

_function := data.contract.m2.edge.function

_variables(field) := aws.function(_function, "configuration", array.concat(["Environment", "Variables"], field))

# A name may say that the variable only leads to a secret. That it does is known where it is the pinned path or ARN.
_secret_variables := sort([name |
	variables := fact.value(_variables([]))
	is_object(variables)
	some name, value in variables
	_carries_secret(name, value)
])

_carries_secret(name, _) if secret.is_named_by(name)

_carries_secret(name, value) if {
	secret.leads_to_one(name)
	value != handle.value(upper(name))
}

_is_header(name) if {
	is_string(name)
	regex.match(`^[A-Za-z0-9-]+$`, name)
} else := false

# The scan is made of everything else that was collected; it is no call of its own.
_scan(field) := {"at": ["plaintext_scan"], "field": field, "handles": []}

_scanned := {object.get(source, "source", null) |
	some source in fact.list(_scan(["sources"]))
	is_object(source)
	object.get(source, "scanned", false) == true
}

_unscanned := sort([object.get(source, "source", null) |
	some source in fact.list(_scan(["sources"]))
	is_object(source)
	object.get(source, "scanned", false) != true
])

_missed(sources) := sort([source | some source in sources; not source in _scanned])

# A command that was not run shows nothing.
_stack_sources(name) := [sprintf("terraform.stacks.%v.%v", [name, step]) |
	some step in array.concat(
		_secrets.scanned_steps,
		[tried | some tried in _secrets.scanned_if_run; fact.status(stack.step(name, tried, [])) != "not_collected"],
	)
]

_function_source := sprintf("aws.lambda.functions.%v.configuration", [handle.value(_function)])
