# METADATA
# title: Routes of the ingress edge
# description: |
#   Which route keys stand for a path that a handle pins.
# related_resources:
#   - ref: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
package lib.edge

import data.lib.handle

# A path of the edge starts with its stage, which a route key leaves out unless the API has no other way to say it.
route_keys(path_handle, stage_handle, method) := {sprintf("%v %v", [method, path]) |
	some path in _paths(handle.value(path_handle), handle.value(stage_handle))
}

_paths(path, stage) := {path} | {concat("", ["/", trim_prefix(path, prefix)]) |
	is_string(stage)
	prefix := concat("", ["/", stage, "/"])
	startswith(path, prefix)
} if {
	is_string(path)
} else := set()
