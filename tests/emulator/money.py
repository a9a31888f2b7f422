"""What moto's Budgets and Cost Explorer lack.

Budgets are completed in moto's own state. Nobody spends anything in the emulator, so Cost Explorer's amounts are made
up: a day has the same cost whenever and by whomever it is asked for, and days differ.
"""

import functools
import hashlib
import json
from datetime import date, datetime, timedelta, timezone

from moto.budgets.exceptions import NotFoundException
from moto.budgets.models import Budget, BudgetsBackend, Notification
from moto.budgets.responses import BudgetsResponse
from moto.ce.models import CostExplorerBackend
from moto.core.exceptions import JsonRESTError

from .pages import page


def install() -> None:
    """Completes moto's classes."""
    BudgetsResponse.create_budget = _create_budget(BudgetsResponse.create_budget)
    for operation in (
        _update_budget,
        _describe_notifications_for_budget,
        _update_notification,
        _describe_subscribers_for_notification,
        _create_subscriber,
        _delete_subscriber,
        _list_tags_for_resource,
        _tag_resource,
        _untag_resource,
    ):
        setattr(BudgetsResponse, operation.__name__.removeprefix("_"), operation)
    CostExplorerBackend.get_cost_and_usage = _get_cost_and_usage(CostExplorerBackend.get_cost_and_usage)


def _create_budget(original):
    """Budgets CreateBudget that keeps its tags and starts this month if nobody says when (moto: dropped, no start)."""

    @functools.wraps(original)
    def create_budget(self: BudgetsResponse):
        answer = original(self)
        budget = _budget(self)
        first = datetime.now(timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        budget.budget["TimePeriod"].setdefault("Start", int(first.timestamp()))
        budget.tags = {tag["Key"]: tag["Value"] for tag in self._get_param("ResourceTags") or []}
        return answer

    return create_budget


def _budget(self: BudgetsResponse) -> Budget:
    parameters = json.loads(self.body)
    account = parameters.get("AccountId")
    name = parameters.get("BudgetName") or parameters.get("Budget", parameters.get("NewBudget", {})).get("BudgetName")
    if "ResourceARN" in parameters:
        _, _, _, _, account, resource = parameters["ResourceARN"].split(":", 5)
        name = resource.removeprefix("budget/")
    budgets: BudgetsBackend = self.backend
    if name not in budgets.budgets[account]:
        raise NotFoundException(f"Unable to get budget: {name} - the budget doesn't exist.")
    return budgets.budgets[account][name]


def _notification(self: BudgetsResponse, parameter: str = "Notification") -> Notification:
    wanted = _identity(json.loads(self.body)[parameter])
    for notification in _budget(self).notifications:
        if _identity(notification.details) == wanted:
            return notification
    raise NotFoundException("Unable to get notification - the notification doesn't exist.")


def _identity(details: dict) -> tuple:
    kind = details.get("ThresholdType") or "PERCENTAGE"
    return details["NotificationType"], details["ComparisonOperator"], float(details["Threshold"]), kind


def _update_budget(self: BudgetsResponse) -> str:
    """Budgets UpdateBudget (moto: not implemented)."""
    _budget(self).budget.update(json.loads(self.body)["NewBudget"])
    return json.dumps({})


def _describe_notifications_for_budget(self: BudgetsResponse) -> str:
    """Budgets DescribeNotificationsForBudget with pages, refusing an unknown budget (moto: one page, 500)."""
    notifications = [notification.details for notification in _budget(self).notifications]
    return json.dumps(page(json.loads(self.body), "Notifications", notifications))


def _update_notification(self: BudgetsResponse) -> str:
    """Budgets UpdateNotification (moto: not implemented)."""
    _notification(self, "OldNotification").details = json.loads(self.body)["NewNotification"]
    return json.dumps({})


def _describe_subscribers_for_notification(self: BudgetsResponse) -> str:
    """Budgets DescribeSubscribersForNotification (moto: not implemented)."""
    return json.dumps(page(json.loads(self.body), "Subscribers", _notification(self).subscribers))


def _create_subscriber(self: BudgetsResponse) -> str:
    """Budgets CreateSubscriber (moto: not implemented)."""
    _notification(self).subscribers.append(json.loads(self.body)["Subscriber"])
    return json.dumps({})


def _delete_subscriber(self: BudgetsResponse) -> str:
    """Budgets DeleteSubscriber (moto: not implemented); a notification without its last one goes too."""
    notification, budget = _notification(self), _budget(self)
    gone = json.loads(self.body)["Subscriber"]
    if gone not in notification.subscribers:
        raise NotFoundException("Unable to delete subscriber - the subscriber doesn't exist.")
    notification.subscribers.remove(gone)
    if not notification.subscribers:
        budget.notifications.remove(notification)
    return json.dumps({})


def _list_tags_for_resource(self: BudgetsResponse) -> str:
    """Budgets ListTagsForResource (moto: not implemented)."""
    tags = getattr(_budget(self), "tags", {})
    return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def _tag_resource(self: BudgetsResponse) -> str:
    """Budgets TagResource (moto: not implemented)."""
    budget = _budget(self)
    added = {tag["Key"]: tag["Value"] for tag in json.loads(self.body)["ResourceTags"]}
    budget.tags = getattr(budget, "tags", {}) | added
    return json.dumps({})


def _untag_resource(self: BudgetsResponse) -> str:
    """Budgets UntagResource (moto: not implemented)."""
    budget, gone = _budget(self), json.loads(self.body)["ResourceTagKeys"]
    budget.tags = {key: value for key, value in getattr(budget, "tags", {}).items() if key not in gone}
    return json.dumps({})


def _get_cost_and_usage(original):
    """Cost Explorer GetCostAndUsage for any window (moto: only what a test has put in, which still goes first)."""

    @functools.wraps(original)
    def get_cost_and_usage(self: CostExplorerBackend, body):
        if body in self.cost_usage_results or self.cost_usage_results_queue:
            return original(self, body)
        parameters = json.loads(body)
        start, end = (date.fromisoformat(parameters["TimePeriod"][edge]) for edge in ("Start", "End"))
        if start >= end:
            raise JsonRESTError("ValidationException", "Start date (and hour) should be before end date (and hour)")
        results = []
        for first, last in _periods(start, end, parameters["Granularity"]):
            amount = sum(_cost(first + timedelta(day)) for day in range((last - first).days))
            total = {metric: {"Amount": f"{amount / 100:.2f}", "Unit": "USD"} for metric in parameters["Metrics"]}
            period = {"Start": first.isoformat(), "End": last.isoformat()}
            results.append({"TimePeriod": period, "Total": total, "Groups": [], "Estimated": True})
        return {"ResultsByTime": results, "DimensionValueAttributes": []}

    return get_cost_and_usage


def _periods(start: date, end: date, granularity: str) -> list[tuple[date, date]]:
    periods = []
    while start < end:
        if granularity == "DAILY":
            following = start + timedelta(1)
        elif granularity == "MONTHLY":
            following = (start.replace(day=1) + timedelta(32)).replace(day=1)
        else:
            raise NotImplementedError(f"the granularity {granularity}")
        periods.append((start, min(following, end)))
        start = following
    return periods


def _cost(day: date) -> int:
    """What a day cost, in cents: between two and six dollars, so that a month stays within the budget."""
    return 200 + int.from_bytes(hashlib.sha256(day.isoformat().encode()).digest()[:2]) % 400
