"""The form of lists that moto answers all at once, and with members that AWS leaves out."""


def page(
    parameters: dict, member: str, items: list, size: str = "MaxResults", token: str = "NextToken", default: int = 100
) -> dict:
    """The part of a list that a request asks for, with the token of the next part if there is one."""
    start = int(parameters.get(token) or 0)
    end = start + int(parameters.get(size) or default)
    return {member: items[start:end]} | ({token: str(end)} if end < len(items) else {})


def without_nulls(value):
    """A JSON value without the members that moto answers with null: AWS leaves out what is not set."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    return [without_nulls(member) for member in value] if isinstance(value, list) else value
