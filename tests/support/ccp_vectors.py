"""CCP's two messages as the values of the vectors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from interledger.routing.ccp.messages import AnnouncedRoute, Mode, RouteControl, RouteProp, RouteUpdate

FLAGS = ("optional", "transitive", "partial", "utf8")


def control_to_value(octets: bytes, _: dict[str, Any]) -> dict[str, Any]:
    control = RouteControl.decode(octets)
    return {
        "mode": control.mode.name.lower(),
        "lastKnownRoutingTableId": str(UUID(bytes=control.table_id)),
        "lastKnownEpoch": control.epoch,
        "features": list(control.features),
    }


def control_from_value(value: dict[str, Any], _: dict[str, Any]) -> bytes:
    table_id = UUID(value["lastKnownRoutingTableId"]).bytes
    mode = Mode[value["mode"].upper()]
    return RouteControl(mode, table_id, value["lastKnownEpoch"], tuple(value["features"])).encode()


def update_to_value(octets: bytes, _: dict[str, Any]) -> dict[str, Any]:
    update = RouteUpdate.decode(octets)
    return {
        "routingTableId": str(UUID(bytes=update.table_id)),
        "currentEpochIndex": update.current_epoch,
        "fromEpochIndex": update.from_epoch,
        "toEpochIndex": update.to_epoch,
        "holdDownTime": update.hold_down_ms,
        "speaker": update.speaker,
        "newRoutes": [_route_to_value(route) for route in update.new_routes],
        "withdrawnRoutes": list(update.withdrawn_routes),
    }


def update_from_value(value: dict[str, Any], _: dict[str, Any]) -> bytes:
    names = ("currentEpochIndex", "fromEpochIndex", "toEpochIndex", "holdDownTime", "speaker")
    routes = tuple(_route_from_value(route) for route in value["newRoutes"])
    table_id = UUID(value["routingTableId"]).bytes
    return RouteUpdate(table_id, *(value[name] for name in names), routes, tuple(value["withdrawnRoutes"])).encode()


def _route_to_value(route: AnnouncedRoute) -> dict[str, Any]:
    props = [dict(zip((*FLAGS, "id", "value"), (*prop[:5], prop.value.hex()), strict=True)) for prop in route.props]
    return {"prefix": route.prefix, "path": list(route.path), "auth": route.auth.hex(), "props": props}


def _route_from_value(value: dict[str, Any]) -> AnnouncedRoute:
    props = tuple(
        RouteProp(*(prop[flag] for flag in FLAGS), prop["id"], bytes.fromhex(prop["value"])) for prop in value["props"]
    )
    return AnnouncedRoute(value["prefix"], tuple(value["path"]), bytes.fromhex(value["auth"]), props)
