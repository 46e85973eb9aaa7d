"""Rates: what one whole unit of each asset is worth in a common base. Exact decimal text inside, never a float."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from interledger.accounts.asset import parse_asset
from interledger.accounts.credentials import Scope
from interledger.api.auth import Access
from interledger.api.bodies import parse_rate
from interledger.api.documents import list_document
from interledger.api.facade import NodeFacade
from interledger.api.operations import Call, Operation, json_response
from interledger.api.problems import Problem
from interledger.codec.strict_json import JsonNumber
from interledger.codec.timestamp import format_rfc3339
from interledger.errors import DecodeError, InvalidRequestError

__all__ = ["OPERATIONS", "rates_document"]


async def get_compatible_rates(call: Call) -> Response:
    return json_response(_numbers({rate.code: rate.value for rate in call.node.exchange_rates.quoted()}))


async def put_compatible_rates(call: Call) -> Response:
    fields = await call.compatible_fields()
    rates: dict[str, str] = {}
    for name, value in fields.as_mapping().items():
        _add_rate(rates, name, value, field=name)
    await call.node.set_rates(rates)
    return json_response(_numbers(rates))


async def get_rates(call: Call) -> Response:
    return json_response(rates_document(call.node))


async def put_rates(call: Call) -> Response:
    """Replaces the rates that were set by hand; what `GET` shows can be sent back. Answers with all rates."""
    fields = await call.fields()
    rates: dict[str, str] = {}
    for index, item in enumerate(fields.objects("items")):
        code = item.required_text("code")
        _add_rate(rates, code, item.value("value"), field=f"items[{index}].value")
        item.text("source")
        item.text("as_of")
        item.close()
    fields.value("next_cursor")
    fields.close()
    await call.node.set_rates(rates)
    return json_response(rates_document(call.node))


def _add_rate(rates: dict[str, str], name: str, value: object, *, field: str) -> None:
    try:
        code = parse_asset(f"{name}/0").code
        rate = parse_rate(value)
    except (DecodeError, InvalidRequestError) as error:
        raise Problem("invalid-request", f"the rate of {name[:32]}: {error}", field=field) from None
    if code in rates:
        raise Problem("invalid-request", f"the rate of {code} comes twice", field=field)
    rates[code] = rate


def _numbers(rates: Mapping[str, str]) -> dict[str, JsonNumber]:
    return {code: JsonNumber(parse_rate(value)) for code, value in rates.items()}


def rates_document(node: NodeFacade) -> dict[str, object]:
    """What one whole unit of each asset is worth."""
    return list_document(
        {
            "code": rate.code,
            "value": parse_rate(rate.value),
            "source": rate.source,
            "as_of": None if rate.as_of is None else format_rfc3339(rate.as_of),
        }
        for rate in node.exchange_rates.quoted()
    )


OPERATIONS: Final = (
    Operation(
        method="GET", path="/rates", access=Access.PUBLIC, handler=get_compatible_rates,
        summary="Asset code to value", answer="CompatibleRates", tags=("interledger-rs",),
    ),
    Operation(
        method="PUT", path="/rates", access=Access.ADMIN, handler=put_compatible_rates,
        scope=Scope.OPERATE,
        summary="Replace the rates set by hand", body="CompatibleRates", answer="CompatibleRates", problems=(400,),
        tags=("interledger-rs",),
    ),
    Operation(
        method="GET", path="/api/rates", access=Access.ANY, handler=get_rates,
        summary="All rates", answer="Rate[]", tags=("rates",),
    ),
    Operation(
        method="PUT", path="/api/rates", access=Access.ADMIN, handler=put_rates,
        scope=Scope.OPERATE,
        summary="Replace the rates set by hand", body="NewRate[]", answer="Rate[]", problems=(400,), tags=("rates",),
    ),
)  # fmt: skip
"""The operations of this module."""
