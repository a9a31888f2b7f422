package m2.d

import data.lib.aws
import data.lib.fact
import data.lib.handle
import data.lib.receipt
import data.lib.report
import data.lib.schema_registry

# METADATA
# title: Evidence of topics, schemas and READY authority is missing or inconsistent
# description: |
#   An observation of this lane lacks the calls that it came from, or a call ended otherwise than the observation says.
#   A read behind a handle that is not pinned has no receipt, so such a handle blocks here, too.
# custom:
#   code: M2D-B7
#   severity: S2
#   taxonomy: M2-B8
#   remediation: Collect again with the permissions named by the unreadable facts; never edit a fact document by hand.
b7 contains receipt.identifies("run")

b7 contains receipt.backs(ref) if some ref in array.concat(
	array.concat(_cluster_refs, _parameter_refs),
	array.concat(schema_registry.refs, [_state_machine_ref]),
)

_cluster_refs := [aws.cluster(_cluster, aspect, []) | some aspect in ["cluster", "bootstrap_brokers", "topics"]]

_parameter_refs := [_parameter(aspect) | some aspect in ["metadata", "value"]]

_state_machine_ref := aws.state_machine(_state_machine, "state_machine", [])

observations contains {
	"subject": name,
	"message": sprintf("roles that %v must still make: %v", [
		data.contract.m2.topics.routes_open_roles_to,
		concat(", ", _routed(name)),
	]),
	"facts": [handle.pointer(role) | some role in _routed(name)],
} if {
	some name in data.contract.m2.topics.required
	count(_routed(name)) > 0
}

observations contains {
	"subject": _cluster,
	"message": sprintf("topics of the bus that no handle names: %v", [concat(", ", _unnamed)]),
	"facts": [fact.pointer(_topics)],
} if {
	count(_unnamed) > 0
}

_unnamed := sort({name |
	some name in _found
	_is_topic_name(name)
	not name in {value | some value in _bus}
})

artifacts := {
	"m2d_topic_surface_matrix.json": report.artifact("M2.D", _topic_surface),
	"m2d_schema_registry_snapshot.json": report.artifact("M2.D", _schema_registry),
	"m2d_lane_binding_matrix.json": report.artifact("M2.D", _lane_binding),
	"m2d_sr_commit_authority_snapshot.json": report.artifact("M2.D", _commit_authority),
	"m2d_blocker_register.json": report.blocker_register("M2.D"),
	"m2d_execution_summary.json": report.execution_summary("M2.D"),
}

_topic_surface := {
	"topics": {name: {"name": handle.value(name), "conformance": report.checks(_about(b1, name))} |
		some name in data.contract.m2.topics.required
	},
	"other_topics": {name: value |
		some name, value in _bus
		not name in data.contract.m2.topics.required
	},
	"handles": report.handles([name | some name, _ in _bus]),
	"cluster": report.readings(_cluster_refs),
	"brokers_parameter": report.readings(_parameter_refs),
	"reachability": report.checks(b2),
	"probe": {"policy": handle.chosen(_probe), "conformance": report.checks(b6)},
}

_schema_registry := object.union(schema_registry.snapshot, {"conformance": report.checks(b3)})

_lane_binding := {
	"bindings": {name: row |
		some name in data.contract.m2.topics.required
		row := {
			"topic": handle.value(name),
			"rows": _rows_of(name),
			"routed": _routed(name),
			"conformance": report.checks(_about(b4, name)),
		}
	},
	"roles": report.handles(handle.mentioned(data.contract.m2.topics.role_prefix)),
	"routes_open_roles_to": data.contract.m2.topics.routes_open_roles_to,
	"astray": _astray,
}

_commit_authority := {
	"handles": report.handles(array.concat(
		[_state_machine, _authority.receipt_pattern.handle],
		[name | some name, _ in _authority.pinned],
	)),
	"state_machine": report.readings([_state_machine_ref]),
	"conformance": report.checks(b5),
}

_about(checks, name) := {check | some check in checks; check.subject == name}
