//! What an apply run applies, and what it leaves alone.

use super::fake::{World, outcome};
use crate::fact::TerraformMode;

const CHANGES: &str = r#"{"format_version": "1.2", "resource_changes":
    [{"address": "t.a", "type": "t", "change": {"actions": ["create"]}}]}"#;

#[test]
fn a_plan_with_changes_is_not_applied_in_a_plan_run() {
    let world = World::new();
    world.put("plan.exit", "2");
    world.put("show.out", CHANGES);
    let core = world.core();
    assert_eq!(core.plan.value().expect("present").summary["create"], 1);
    assert_eq!(outcome(&core.apply), ("not_collected", "terraform may only plan in this run"));
    assert!(!world.calls("core").contains(&"apply".to_owned()));
}

#[test]
fn an_apply_run_applies_that_very_plan_and_plans_again() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    world.put("plan.sh", "[ -f \"$here/applied\" ] || { echo two; exit 2; }");
    world.put("apply.sh", "for last; do :; done; cat \"$last\" > \"$here/applied\"");
    world.put("show.out", CHANGES);
    let core = world.core();
    let (plan, apply) = (core.plan.value().expect("present"), core.apply.value().expect("present"));
    assert_eq!((plan.exit_code, apply.exit_code), (2, 0));
    assert_eq!(plan.digest.as_ref(), Some(&apply.plan_digest));
    assert_eq!(core.post_apply_plan.value().expect("present").exit_code, 0);
    let expected = ["init", "validate", "plan", "show", "apply", "plan", "show", "output", "state"];
    assert_eq!(world.calls("core"), expected);
}

#[test]
fn a_plan_that_destroys_is_not_applied() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    world.put("plan.exit", "2");
    world.put("show.out", &CHANGES.replace(r#"["create"]"#, r#"["delete", "create"]"#));
    let core = world.core();
    let (status, reason) = outcome(&core.apply);
    assert_eq!(status, "not_collected");
    assert!(reason.starts_with("the plan destroys t.a, and a gate destroys nothing"), "{reason}");
    assert!(!world.calls("core").contains(&"apply".to_owned()));
}

#[test]
fn a_clean_plan_is_not_applied() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    let core = world.core();
    assert_eq!(outcome(&core.apply), ("not_collected", "the plan has no changes"));
    assert_eq!(outcome(&core.post_apply_plan), ("not_collected", "the plan has no changes"));
}

#[test]
fn a_plan_file_that_was_changed_is_not_applied() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    world.put("plan.exit", "2");
    world.put("show.out", CHANGES);
    world.put("show.sh", "for last; do :; done; echo other > \"$last\"");
    let core = world.core();
    assert_eq!(outcome(&core.apply), ("unreadable", "PlanFileChanged"));
    assert!(!world.calls("core").contains(&"apply".to_owned()));
}

#[test]
fn a_stack_is_not_applied_on_one_that_is_not_settled() {
    let mut world = World::new();
    world.options.mode = TerraformMode::Apply;
    world.options.materialize.insert("streaming".to_owned());
    world.put("plan.exit", "2");
    world.put("show.out", CHANGES);
    world.put("apply.exit", "1");
    let stacks = world.collect().terraform.stacks;
    assert_eq!(stacks["core"].apply.value().expect("present").exit_code, 1);
    assert_eq!(outcome(&stacks["core"].post_apply_plan), ("not_collected", "terraform apply did not succeed"));
    let reason = "stack core, which comes before, is not settled";
    assert_eq!(outcome(&stacks["streaming"].apply), ("not_collected", reason));
    assert_eq!(stacks["streaming"].plan.value().expect("present").exit_code, 2);
}
