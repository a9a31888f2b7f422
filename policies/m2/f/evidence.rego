package m2.f

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.receipt
import data.lib.report
import data.lib.role as identity
import data.lib.secret
import data.lib.stack

# METADATA
# title: Evidence of the secret paths is missing or inconsistent
# description: |
#   An observation of this lane lacks the calls that it came from, a call ended otherwise than the observation says, or
#   the parameters below the platform's folder could not be listed. A read behind a handle that is not pinned has no
#   receipt, so such a handle blocks here, too.
# custom:
#   code: M2F-B7
#   severity: S2
#   taxonomy: M2-B8
#   remediation: Collect again with the permissions named by the unreadable facts; never edit a fact document by hand.
b7 contains receipt.identifies("run")

b7 contains receipt.backs(ref) if some ref in _observed

# The list may be empty; an answer without one says nothing.
b7 contains check.of({
	"subject": data.contract.m2.platform_name[0],
	"claim": "the parameters below the platform's folder can be listed",
	"refs": [_listing],
	"handles": [],
	"holds": is_array(fact.value(_listing)),
	"expected": "array",
	"actual": type_name(fact.value(_listing)),
})

_listing := aws.parameters(["Parameters"])

_observed := [ref |
	some refs in [
		[_description(name) | some name in _secrets.paths],
		[aws.simulation(role, []) | some role in _roles],
		[ref | some role in _decrypting_roles; some ref in identity.policies(role)],
		[stack.step(name, "outputs", []) | some name, _ in data.contract.m2.stacks],
		[aws.parameters([]), aws.function(_function, "configuration", [])],
	]
	some ref in refs
]

# The roles that need a credential, and so the key that encrypts it.
_decrypting_roles := {role |
	some role, paths in _secrets.readers
	some path in paths
	path in _secrets.secure
}

_description(name) := aws.parameter(name, "metadata", [])

# A parameter that nobody asks for may hold a secret that nobody rotates.
observations contains {
	"subject": data.contract.m2.platform_name[0],
	"message": sprintf("parameters below the platform's folder that no handle names: %v", [concat(", ", _unnamed)]),
	"facts": [fact.pointer(aws.parameters(["Parameters"]))],
} if {
	count(_unnamed) > 0
}

observations contains {
	"subject": name,
	"message": sprintf("the parameter is a %v and holds no credential that would need it", [_secrets.secure_type]),
	"facts": [fact.pointer(aws.parameter(name, "metadata", ["Type"]))],
} if {
	some name in _secrets.paths
	not name in _secrets.secure
	fact.value(aws.parameter(name, "metadata", ["Type"])) == _secrets.secure_type
}

_unnamed := sort({name |
	some parameter in fact.list(aws.parameters(["Parameters"]))
	is_object(parameter)
	name := object.get(parameter, "Name", null)
	is_string(name)
	not name in {handle.value(pinned) | some pinned in _path_handles}
})

artifacts := {
	"m2f_secret_inventory_snapshot.json": report.artifact("M2.F", _inventory),
	"m2f_secret_materialization_snapshot.json": report.artifact("M2.F", _materialization),
	"m2f_secret_role_readability_matrix.json": report.artifact("M2.F", _readability),
	"m2f_plaintext_leakage_scan.json": report.artifact("M2.F", _leakage),
	"m2f_ig_secret_contract_snapshot.json": report.artifact("M2.F", _edge_contract),
	"m2f_blocker_register.json": report.blocker_register("M2.F"),
	"m2f_execution_summary.json": report.execution_summary("M2.F"),
}

_inventory := {
	"required": _secrets.paths,
	"handles": report.handles(_path_handles | {name | some name in _secrets.paths}),
	"folder": handle.folder,
	"backend": report.handles([name | some name, _ in _secrets.pinned]),
	"listed": report.reading(aws.parameters([])),
	"unnamed": _unnamed,
	"conformance": report.checks(b1 | b6),
}

_materialization := {
	"parameters": {name: row |
		some name in _secrets.paths
		row := {
			"path": handle.value(name),
			"must_be_encrypted": name in _secrets.secure,
			"metadata": report.reading(_description(name)),
			"conformance": report.checks({claim | some claim in b2; claim.subject == name}),
		}
	},
	"conformance": report.checks(b2),
}

_readability := {
	"actions": _read_actions,
	"roles": {role: row |
		some role in _roles
		row := {
			"handle": report.handles([role])[role],
			"must_read": object.get(_secrets.readers, role, []),
			"decisions": {path: _described(role, path) | some path in _secrets.paths},
			"simulation": receipt.recorded(aws.simulation(role, [])),
			"conformance": report.checks({claim | some claim in b3; claim.subject == role}),
		}
	},
	"conformance": report.checks(b3),
}

_leakage := {
	"scan": report.reading(_scan([])),
	"outputs_named_like_secrets": {name: secret.shown_outputs(name) | some name, _ in data.contract.m2.stacks},
	"conformance": report.checks(b4),
}

_edge_contract := {
	"handles": report.handles([_edge.key_path, _edge.mode.handle, _edge.header, _function]),
	"variables": fact.value(_variables([])),
	"function": report.reading(aws.function(_function, "configuration", [])),
	"conformance": report.checks(b5),
}
