"""Sessions of `ngh2` with the limits of `link.http.http2`: one side of a connection, without its socket."""

from __future__ import annotations

from typing import Final

import ngh2
from ngh2 import Setting

from interledger.link.http import http2
from interledger.link.http.heads import HEAD_OCTETS_MAX, HEADERS_MAX

__all__ = ["CONTROLS", "new_client", "new_server"]

CONTROLS: Final = frozenset(
    {ngh2.PingReceived, ngh2.PingAcknowledged, ngh2.SettingsReceived, ngh2.WindowUpdated, ngh2.PriorityUpdateReceived}
)
"""Events of frames that carry no request."""

_CONFIGURATION: Final = ngh2.Configuration(
    max_outbound_ack=http2.ACKS_MAX,
    stream_reset_rate_limit=(http2.RESETS_MAX, http2.RESETS_PER_S),
    glitch_rate_limit=(http2.CONTROLS_MAX, http2.CONTROLS_PER_S),
    max_continuations=http2.CONTINUATIONS_MAX,
    max_inbound_header_list_size=http2.HEADER_LIST_MAX,
    max_inbound_header_count=2 * HEADERS_MAX,
    max_reserved_remote_streams=0,
)


def new_server(window: int) -> ngh2.Connection:
    """Our side of a client's connection. `window`: octets of one stream that may come before we have said more."""
    session = ngh2.Connection(ngh2.Role.SERVER, _CONFIGURATION)
    session.initiate_connection(
        {
            Setting.MAX_CONCURRENT_STREAMS: http2.STREAMS_MAX,
            Setting.INITIAL_WINDOW_SIZE: window,
            Setting.MAX_HEADER_LIST_SIZE: HEAD_OCTETS_MAX,
            Setting.NO_RFC7540_PRIORITIES: 1,
        }
    )
    session.set_local_window_size(http2.WINDOW_OCTETS)
    return session


def new_client(window: int) -> ngh2.Connection:
    """Our side of a connection to a peer."""
    session = ngh2.Connection(ngh2.Role.CLIENT, _CONFIGURATION)
    session.initiate_connection(
        {Setting.ENABLE_PUSH: 0, Setting.INITIAL_WINDOW_SIZE: window, Setting.NO_RFC7540_PRIORITIES: 1}
    )
    session.set_local_window_size(http2.WINDOW_OCTETS)
    return session
