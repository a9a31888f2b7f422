# METADATA
# title: Secret paths
# description: |
#   Every secret is known by the path of its parameter: the handles are the required ones, the parameters are there and
#   encrypted, whoever needs one may read it and nobody else, no secret stands anywhere in plain text, and the ingress
#   edge is given a path instead of a key.
# custom:
#   lane: M2.F
#   next: M2.G
#   upstream: [M2.E]
#   definition_of_done:
#     - item: required secret path set is complete.
#       codes: [M2F-B1, M2F-B6]
#     - item: materialization/readability checks pass or explicit blockers raised.
#       codes: [M2F-B2, M2F-B3]
#     - item: no plaintext leakage in outputs/evidence.
#       codes: [M2F-B4]
#     - item: IG/API-edge auth secret contract is path-based and leak-free.
#       codes: [M2F-B5]
#     - item: M2.F evidence snapshot committed.
#       codes: [M2F-B7]
#   artifacts:
#     - m2f_secret_inventory_snapshot.json
#     - m2f_secret_materialization_snapshot.json
#     - m2f_secret_role_readability_matrix.json
#     - m2f_plaintext_leakage_scan.json
#     - m2f_ig_secret_contract_snapshot.json
#     - m2f_blocker_register.json
#     - m2f_execution_summary.json
package m2.f

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.secret

# METADATA
# title: Secret path handles differ from the required inventory
# description: |
#   A required `SSM_*_PATH` handle is missing, the registry has one that is not required, a path is not well-formed or
#   not below the platform's own folder, or two handles pin the same path.
# related_resources:
#   - ref: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-hierarchies.html
# custom:
#   code: M2F-B1
#   severity: S1
#   taxonomy: M2-B4
#   remediation: >-
#     Pin the handle to a path of its own below the platform's folder. A handle that is new to the platform belongs into
#     the contract's inventory first.
b1 contains check.of({
	"subject": name,
	"claim": "it is a path below the platform's folder",
	"refs": [],
	"handles": array.concat([name], data.contract.m2.platform_name),
	"holds": count(_path_faults(handle.value(name))) == 0,
	"expected": sprintf("a path below %v", [handle.folder]),
	"actual": {"path": handle.value(name), "faults": sort(_path_faults(handle.value(name)))},
}) if {
	some name in _secrets.paths
}

b1 contains check.of({
	"subject": name,
	"claim": "no other handle pins the path",
	"refs": [],
	"handles": [name],
	"holds": count(_namesakes(name)) == 0,
	"expected": [],
	"actual": _namesakes(name),
}) if {
	some name in _secrets.paths
}

b1 contains check.of({
	"subject": name,
	"claim": "it belongs to the required inventory",
	"refs": [],
	"handles": [name],
	"holds": false,
	"expected": _secrets.paths,
	"actual": name,
}) if {
	some name in _path_handles
	not name in _secrets.paths
}

# METADATA
# title: Secret parameter absent, unreadable or not encrypted
# description: |
#   No parameter is at a required path, its description cannot be read, or it is not a `SecureString` where it holds a
#   credential. Values are never asked for.
# custom:
#   code: M2F-B2
#   severity: S1
#   taxonomy: M2-B4
#   remediation: Apply the stack that owns the parameter; a credential's parameter has to be created as a SecureString.
b2 contains secret.there(name) if some name in _secrets.paths

b2 contains check.equals(
	name,
	"the parameter is encrypted",
	aws.parameter(name, "metadata", ["Type"]),
	_secrets.secure_type,
) if {
	some name in _secrets.secure
}

# METADATA
# title: Role may not read what it needs, or may read what it must not
# description: |
#   The policy simulation denies a role a parameter that it needs, allows it a credential that is none of its business
#   by any of the actions that give a parameter's value, or says nothing of the pair. Permissions boundaries are part of
#   the simulation. Or a parameter that the role needs is encrypted with the platform's key, and the role's own policies
#   and boundary do not let it decrypt with that; or with another key, of which nothing is known.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
# custom:
#   code: M2F-B3
#   severity: S1
#   taxonomy: M2-B3
#   remediation: >-
#     Let the role's policies name the parameters that it needs, one by one, and `kms:Decrypt` on the key that encrypts
#     them, and apply the role's stack.
b3 contains check.of({
	"subject": role,
	"claim": sprintf("it may read %v", [path]),
	"refs": [aws.simulation(role, ["EvaluationResults"])],
	"handles": [path],
	"holds": _decisions[role][path][_secrets.read_action] == {"allowed"},
	"expected": "allowed",
	"actual": _described(role, path),
	"violation": _violation(role, path, [_secrets.read_action]),
}) if {
	some role, paths in _secrets.readers
	some path in paths
}

b3 contains check.of({
	"subject": role,
	"claim": sprintf("it may not read %v", [path]),
	"refs": [aws.simulation(role, ["EvaluationResults"])],
	"handles": [path],
	"holds": _is_kept_out(role, path),
	"expected": "nothing allowed",
	"actual": _described(role, path),
	"violation": _violation(role, path, _read_actions),
}) if {
	some role in _roles
	some path in _secrets.secure
	not path in object.get(_secrets.readers, role, [])
}

b3 contains check.of({
	"subject": role,
	"claim": sprintf("it may decrypt %v", [path]),
	"refs": _decryption_refs(role, path),
	"handles": [],
	"holds": count(faults) == 0,
	"expected": [],
	"actual": faults,
}) if {
	some role, paths in _secrets.readers
	some path in paths
	faults := _decryption_faults(role, path)
}

# METADATA
# title: Secret backend not as pinned
# description: "`SECRETS_BACKEND` or `SECRETS_PLAINTEXT_OUTPUT_ALLOWED` is not pinned to the contract's value."
# custom:
#   code: M2F-B6
#   severity: S1
#   taxonomy: M2-B4
#   remediation: Pin the handle to the contract's value; pinning it to another one does not open the gate.
b6 contains check.pinned_as(name, "it is pinned to the contract's value", expected) if {
	some name, expected in _secrets.pinned
}

_secrets := data.contract.m2.secrets

# Every role of the matrix.
_roles := {role | some role, _ in _secrets.readers} | {role | some role in _secrets.kept_out}

# The handles that the registry gives a path, or means to. A bare name has no value yet, and asks for nothing.
_path_handles := {name |
	some name in handle.mentioned(_secrets.handle_prefix)
	endswith(name, _secrets.handle_suffix)
	handle.raw(name) != null
}

_namesakes(name) := sort({other |
	some other in _path_handles
	other != name
	check.same(handle.value(other), handle.value(name))
})

_path_faults(path) := {"not a text"} if {
	not is_string(path)
} else := {fault |
	some fault, is_found in {
		"not below the platform's folder": _is_below(path, handle.folder) == false,
		"not a path of letters, digits and `.-_` in named segments": regex.match(`^(/[A-Za-z0-9_.-]+)+$`, path) == false,
		"a relative segment": count({".", ".."} & {segment | some segment in split(path, "/")}) > 0,
	}
	is_found
}

_is_below(path, folder) if {
	is_string(folder)
	startswith(path, concat("", [folder, "/"]))
} else := false

# Every action that gives the value of a parameter.
_read_actions := array.concat([_secrets.read_action], _secrets.other_read_actions)

# What the simulation decided of each role, by path and action. Nothing decided is no decision. A rule, so that each role's
# results are gone through once.
_decisions[role] := {path: by_action |
	some path, parameter in _judged_paths
	about_it := {row | some row in _decided[role]; row[1] == parameter}
	by_action := {action: decisions |
		some action in _read_actions
		decisions := {row[2] | some row in about_it; row[0] == action}
	}
} if {
	some role in _roles
}

_judged_paths := {path: handle.value(path) |
	some paths in array.concat([_secrets.paths, _secrets.secure], [read | some read in _secrets.readers])
	some path in paths
}

_is_kept_out(role, path) if {
	every decisions in _decisions[role][path] {
		count(decisions) > 0
		decisions & {"allowed", null} == set()
	}
} else := false

_described(role, path) := {action: shown |
	some action, decisions in _decisions[role][path]
	shown := concat(", ", sort({sprintf("%v", [decision]) | some decision in decisions}))
}

# A pair that the simulation says nothing of is not known, which is worse than denied.
_violation(role, path, actions) := "unreadable" if {
	some action in actions
	count(_decisions[role][path][action]) == 0
} else := "violated"

_decided[role] := {[object.get(row, "EvalActionName", null), parameter, object.get(row, "EvalDecision", null)] |
	some row in _simulated[role]
	parameter := _parameters[object.get(row, "EvalResourceName", null)]
} if {
	some role in _roles
}

_simulated[role] := [row | some row in fact.list(aws.simulation(role, ["EvaluationResults"])); is_object(row)] if {
	some role in _roles
}

# The path of every parameter that a simulation is about, by its ARN. Most are in the results of every role.
_parameters := {arn: _parameter(arn) |
	some arn in {object.get(row, "EvalResourceName", null) | some rows in _simulated; some row in rows}
}

# The path of a parameter, by its ARN.
_parameter(arn) := concat("", ["/", trim_prefix(parts[5], "parameter/")]) if {
	is_string(arn)
	parts := split(arn, ":")
	count(parts) == 6
	startswith(parts[5], "parameter/")
} else := null
