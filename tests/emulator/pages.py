"""Pages, for operations that moto answers all at once."""


def page(
    parameters: dict, member: str, items: list, size: str = "MaxResults", token: str = "NextToken", default: int = 100
) -> dict:
    """The part of a list that a request asks for, with the token of the next part if there is one."""
    start = int(parameters.get(token) or 0)
    end = start + int(parameters.get(size) or default)
    return {member: items[start:end]} | ({token: str(end)} if end < len(items) else {})
