//! IAM: roles, whom they trust, what they allow, and which parameters they may read after all of it.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AttachedPolicy, EvaluationResult, Role};
use futures::future::{BoxFuture, FutureExt, join_all};
use serde_json::{Map, Value, json};

use crate::fact::Observation;

use super::body::policy_document;
use super::call::{Answer, Failure, Outcome, after, observe, send};
use super::catalog::{Aspect, Aspects, Kind, SSM_PATHS, Subject, pinned};
use super::operation::Operation;
use super::pages::Pages;
use super::session::Session;
use super::sts::{self, Account, GET_CALLER_IDENTITY};

const SERVICE: &str = "iam";
const ABSENT: &[&str] = &["NoSuchEntity"];

static GET_ROLE: Operation =
    Operation::xml(SERVICE, "GetRole", Some("iam:GetRole"), "GetRoleResponse", &["Role"]).absent(ABSENT);
static LIST_ATTACHED_ROLE_POLICIES: Operation = Operation::xml(
    SERVICE,
    "ListAttachedRolePolicies",
    Some("iam:ListAttachedRolePolicies"),
    "ListAttachedRolePoliciesResponse",
    &["AttachedPolicies"],
)
.absent(ABSENT);
static GET_POLICY: Operation =
    Operation::xml(SERVICE, "GetPolicy", Some("iam:GetPolicy"), "GetPolicyResponse", &["Policy"]).absent(ABSENT);
static GET_POLICY_VERSION: Operation = Operation::xml(
    SERVICE,
    "GetPolicyVersion",
    Some("iam:GetPolicyVersion"),
    "GetPolicyVersionResponse",
    &["Document"],
)
.absent(ABSENT);
static LIST_ROLE_POLICIES: Operation = Operation::xml(
    SERVICE,
    "ListRolePolicies",
    Some("iam:ListRolePolicies"),
    "ListRolePoliciesResponse",
    &["PolicyNames"],
)
.absent(ABSENT);
static GET_ROLE_POLICY: Operation =
    Operation::xml(SERVICE, "GetRolePolicy", Some("iam:GetRolePolicy"), "GetRolePolicyResponse", &["PolicyDocument"])
        .absent(ABSENT);
static SIMULATE_PRINCIPAL_POLICY: Operation = Operation::xml(
    SERVICE,
    "SimulatePrincipalPolicy",
    Some("iam:SimulatePrincipalPolicy"),
    "SimulatePrincipalPolicyResponse",
    &["EvaluationResults"],
)
.absent(ABSENT);

/// The actions that give the value of a parameter: a role that must not know it must be denied all of them. Source: the Service
/// Authorization Reference of Systems Manager.
const READ_ACTIONS: &[&str] =
    &["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:GetParameterHistory"];

/// A role.
pub(super) static ROLES: Kind = Kind {
    service: SERVICE,
    kind: "roles",
    aspects: &[
        Aspect { name: "role", operations: &[&GET_ROLE, &GET_POLICY, &GET_POLICY_VERSION] },
        Aspect {
            name: "attached_policies",
            operations: &[&LIST_ATTACHED_ROLE_POLICIES, &GET_POLICY, &GET_POLICY_VERSION],
        },
        Aspect { name: "inline_policies", operations: &[&LIST_ROLE_POLICIES, &GET_ROLE_POLICY] },
    ],
    read,
};

/// What IAM itself says of a role's rights, boundary and organisation included.
pub(super) static SIMULATIONS: Kind = Kind {
    service: SERVICE,
    kind: "simulations",
    aspects: &[Aspect { name: "parameter_reads", operations: &[&SIMULATE_PRINCIPAL_POLICY, &GET_CALLER_IDENTITY] }],
    read: read_simulation,
};

fn read<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move {
        let client = session.client(session.connection.region(), Client::new);
        let reader = Reader { session, client, handle: &subject.name, role: role_name(&subject.name) };
        let (role, attached, inline) =
            futures::join!(reader.role(), reader.attached_policies(), reader.inline_policies());
        vec![("role", observe(role)), ("attached_policies", observe(attached)), ("inline_policies", observe(inline))]
    }
    .boxed()
}

fn read_simulation<'a>(session: &'a Session<'a>, subject: &'a Subject) -> BoxFuture<'a, Aspects> {
    async move { vec![("parameter_reads", parameter_reads(session, &subject.name).await)] }.boxed()
}

/// Which of the pinned parameters the role may read. Without any, IAM would answer for every parameter there is.
async fn parameter_reads(session: &Session<'_>, role: &str) -> Observation {
    let paths: BTreeSet<&str> = SSM_PATHS.iter().filter_map(|name| pinned(session.context.handles, name)).collect();
    if paths.is_empty() {
        return Observation::not_collected("no SSM_*_PATH handle is pinned: there is no parameter to ask about");
    }
    let account = match sts::account(session).await {
        Ok(account) => account,
        Err(failure) => return observe(Err(failure)),
    };
    observe(after(&account.receipts, simulated(session, &account.value, role, &paths).await))
}

async fn simulated(session: &Session<'_>, account: &Account, role: &str, paths: &BTreeSet<&str>) -> Outcome {
    let Account { id, partition } = account;
    let region = session.connection.region();
    let client = session.client(region, Client::new);
    let source =
        if role.starts_with("arn:") { role.to_owned() } else { format!("arn:{partition}:iam::{id}:role/{role}") };
    let parameter =
        |path: &&str| format!("arn:{partition}:ssm:{region}:{id}:parameter/{}", path.trim_start_matches('/'));
    let resources: Vec<String> = paths.iter().map(parameter).collect();
    let mut pages = Pages::new(&SIMULATE_PRINCIPAL_POLICY);
    while let Some(page) = pages.next() {
        let answer = send!(
            typed: session.call(&SIMULATE_PRINCIPAL_POLICY, role).page(page.number),
            client.simulate_principal_policy(),
            "PolicySourceArn" => policy_source_arn(source.as_str()),
            "ActionNames" => set_action_names(Some(READ_ACTIONS.iter().map(|action| (*action).to_owned()).collect())),
            "ResourceArns" => set_resource_arns(Some(resources.clone())),
            "Marker" => set_marker(page.token),
        )
        .await;
        pages.add(answer.and_then(|answer| {
            answer.try_map(&SIMULATE_PRINCIPAL_POLICY, |output| {
                let results = output.evaluation_results().iter().flat_map(evaluation_results).collect();
                Ok((results, next(output.is_truncated, output.marker)?))
            })
        }))?;
    }
    let Answer { value: mut results, receipts } = pages.finish();
    let mut seen = BTreeSet::new();
    results.retain(|result| seen.insert(result.to_string()));
    let is_answered = |(action, resource): &(&str, &String)| {
        let is_this = |result: &Value| {
            text(result, "EvalActionName") == *action && text(result, "EvalResourceName") == resource.as_str()
        };
        results.iter().any(is_this)
    };
    let mut asked = READ_ACTIONS.iter().flat_map(|action| resources.iter().map(move |resource| (*action, resource)));
    match asked.find(|pair| !is_answered(pair)) {
        None => Ok(Answer { value: json!({ "EvaluationResults": results }), receipts }),
        Some((action, resource)) => {
            let message = format!("the simulation has no result for {action} on {resource}");
            Err(Failure::malformed(&SIMULATE_PRINCIPAL_POLICY, message, receipts))
        }
    }
}

/// IAM gives a result for each action and resource, and may also list them below one result for the action.
fn evaluation_results(evaluation: &EvaluationResult) -> Vec<Value> {
    let result = |resource: Option<&str>, decision: &str| {
        json!({
            "EvalActionName": evaluation.eval_action_name(),
            "EvalResourceName": resource,
            "EvalDecision": decision,
        })
    };
    let specific = evaluation.resource_specific_results().iter();
    let specific = specific
        .map(|specific| result(Some(specific.eval_resource_name()), specific.eval_resource_decision().as_str()));
    std::iter::once(result(evaluation.eval_resource_name(), evaluation.eval_decision().as_str()))
        .chain(specific)
        .collect()
}

/// Handles pin roles by ARN or by name; the API wants the name, which is the last part of the ARN, behind the path.
fn role_name(handle: &str) -> &str {
    match handle.split_once(":role/") {
        Some((_, path_and_name)) => path_and_name.rsplit('/').next().unwrap_or(path_and_name),
        None => handle,
    }
}

struct Reader<'a> {
    session: &'a Session<'a>,
    client: Client,
    /// Receipts name the role as its handle does.
    handle: &'a str,
    role: &'a str,
}

impl Reader<'_> {
    async fn role(&self) -> Outcome {
        let call = self.session.call(&GET_ROLE, self.handle);
        let answer = send!(typed: call, self.client.get_role(), "RoleName" => role_name(self.role)).await?;
        let mut answer = answer.try_map(&GET_ROLE, |output| role(&output.role.ok_or("the answer has no role")?))?;
        // What a role may do is what its boundary allows as well.
        let boundary = answer.value["PermissionsBoundary"]["PermissionsBoundaryArn"].as_str().map(str::to_owned);
        if let Some(arn) = boundary {
            let document =
                self.managed_policy(&arn).await.map_err(|failure| failure.of_part(&arn, &answer.receipts))?;
            answer.receipts.extend(document.receipts);
            answer.value["PermissionsBoundary"]["Document"] = document.value;
        }
        Ok(answer)
    }

    async fn attached_policies(&self) -> Outcome {
        let mut pages = Pages::new(&LIST_ATTACHED_ROLE_POLICIES);
        while let Some(page) = pages.next() {
            let answer = send!(
                typed: self.session.call(&LIST_ATTACHED_ROLE_POLICIES, self.handle).page(page.number),
                self.client.list_attached_role_policies(),
                "RoleName" => role_name(self.role),
                "Marker" => set_marker(page.token),
            )
            .await;
            pages.add(answer.and_then(|answer| {
                answer.try_map(&LIST_ATTACHED_ROLE_POLICIES, |output| {
                    let policies = output.attached_policies().iter().map(attached_policy).collect::<Result<_, _>>()?;
                    Ok((policies, next(output.is_truncated, output.marker)?))
                })
            }))?;
        }
        let Answer { value: mut policies, mut receipts } = pages.finish();
        let documents = join_all(policies.iter().map(|policy| self.managed_policy(text(policy, "PolicyArn")))).await;
        for (policy, document) in policies.iter_mut().zip(documents) {
            let arn = text(policy, "PolicyArn").to_owned();
            let answer = document.map_err(|failure| failure.of_part(&arn, &receipts))?;
            receipts.extend(answer.receipts);
            policy["Document"] = answer.value;
        }
        Ok(Answer { value: json!({ "AttachedPolicies": policies }), receipts })
    }

    /// The document of a managed policy's default version.
    async fn managed_policy(&self, arn: &str) -> Outcome {
        let read = async {
            let call = self.session.call(&GET_POLICY, arn);
            let policy = send!(typed: call, self.client.get_policy(), "PolicyArn" => policy_arn(arn)).await?;
            let policy = policy.try_map(&GET_POLICY, |output| {
                output.policy.and_then(|policy| policy.default_version_id).ok_or("no default version".to_owned())
            })?;
            let version = send!(
                typed: self.session.call(&GET_POLICY_VERSION, arn),
                self.client.get_policy_version(),
                "PolicyArn" => policy_arn(arn),
                "VersionId" => version_id(policy.value.as_str()),
            )
            .await
            .map_err(|mut failure| {
                failure.receipts.splice(0..0, policy.receipts.iter().cloned());
                failure
            })?;
            let mut document = version.try_map(&GET_POLICY_VERSION, |output| {
                let document = output.policy_version.and_then(|version| version.document);
                policy_document(&document.ok_or("the answer has no document")?)
            })?;
            document.receipts.splice(0..0, policy.receipts);
            Ok(document)
        };
        self.session.once(format!("iam managed policy {arn}"), read).await
    }

    async fn inline_policies(&self) -> Outcome {
        let mut pages = Pages::new(&LIST_ROLE_POLICIES);
        while let Some(page) = pages.next() {
            let answer = send!(
                typed: self.session.call(&LIST_ROLE_POLICIES, self.handle).page(page.number),
                self.client.list_role_policies(),
                "RoleName" => role_name(self.role),
                "Marker" => set_marker(page.token),
            )
            .await;
            pages.add(answer.and_then(|answer| {
                answer.try_map(&LIST_ROLE_POLICIES, |output| {
                    let names = output.policy_names.into_iter().map(Value::String).collect();
                    Ok((names, next(output.is_truncated, output.marker)?))
                })
            }))?;
        }
        let Answer { value: names, mut receipts } = pages.finish();
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        let documents = join_all(names.iter().map(|name| self.inline_policy(name))).await;
        let mut policies = Vec::with_capacity(names.len());
        for (name, document) in names.iter().zip(documents) {
            let answer = document.map_err(|failure| failure.of_part(name, &receipts))?;
            receipts.extend(answer.receipts);
            policies.push(json!({"PolicyName": name, "Document": answer.value}));
        }
        Ok(Answer { value: json!({ "Policies": policies }), receipts })
    }

    async fn inline_policy(&self, name: &str) -> Outcome {
        let answer = send!(
            typed: self.session.call(&GET_ROLE_POLICY, &format!("{}/{name}", self.handle)),
            self.client.get_role_policy(),
            "RoleName" => role_name(self.role),
            "PolicyName" => policy_name(name),
        )
        .await?;
        answer.try_map(&GET_ROLE_POLICY, |output| policy_document(&output.policy_document))
    }
}

fn role(role: &Role) -> Result<Value, String> {
    let trust = role.assume_role_policy_document().ok_or("the role has no trust policy")?;
    let tags: Vec<Value> = role.tags().iter().map(|tag| json!({"Key": tag.key(), "Value": tag.value()})).collect();
    let mut value = json!({
        "RoleName": role.role_name(),
        "Arn": role.arn(),
        "Path": role.path(),
        "AssumeRolePolicyDocument": policy_document(trust)?,
        "Tags": tags,
    });
    if let Some(boundary) = role.permissions_boundary() {
        let mut members = Map::new();
        if let Some(kind) = boundary.permissions_boundary_type() {
            members.insert("PermissionsBoundaryType".to_owned(), json!(kind.as_str()));
        }
        if let Some(arn) = boundary.permissions_boundary_arn() {
            members.insert("PermissionsBoundaryArn".to_owned(), json!(arn));
        }
        value["PermissionsBoundary"] = Value::Object(members);
    }
    Ok(value)
}

fn attached_policy(policy: &AttachedPolicy) -> Result<Value, String> {
    match (policy.policy_name(), policy.policy_arn()) {
        (Some(name), Some(arn)) => Ok(json!({"PolicyName": name, "PolicyArn": arn})),
        _ => Err("an attached policy has no name or no ARN".to_owned()),
    }
}

/// The next page's marker. A list that says that it goes on but not where is not complete.
fn next(is_truncated: bool, marker: Option<String>) -> Result<Option<String>, String> {
    match (is_truncated, marker) {
        (false, _) => Ok(None),
        (true, Some(marker)) => Ok(Some(marker)),
        (true, None) => Err("the list is truncated without a marker".to_owned()),
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_by_arn_or_name() {
        assert_eq!(role_name("arn:aws:iam::123456789012:role/nodes"), "nodes");
        assert_eq!(role_name("arn:aws:iam::123456789012:role/a/path/nodes"), "nodes");
        assert_eq!(role_name("nodes"), "nodes");
    }
}
