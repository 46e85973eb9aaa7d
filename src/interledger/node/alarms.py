"""What the operator has to hear: logged, and kept for whoever looks at the node's status."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, final

from interledger.routing.exchange import AlarmKind, RateAlarm

__all__ = ["Alarms"]

logger = logging.getLogger("interledger.node")

ALARMS_KEPT: Final = 100


@final
class Alarms(list[str]):
    """The latest, oldest first."""

    on_tell: Callable[[str, RateAlarm | None], None] = staticmethod(lambda text, rate: None)
    """Called with each; of one about rates, with what is known of it."""
    told = 0
    """How many there were since the start."""

    def tell(self, text: str) -> None:
        """Log it as an error, and keep it."""
        logger.error("%s", text)
        self._keep(text)

    def tell_of_rates(self, alarm: RateAlarm) -> None:
        """A trouble with rates began (the feed has logged it), or is over."""
        self._keep(alarm.text, alarm)
        if alarm.kind is AlarmKind.RECOVERED:
            logger.info("%s", alarm.text)

    def store_failed(self, error: Exception) -> None:
        """The end of all packets until somebody mends the disk."""
        self.tell(f"the books cannot be written any more, new packets are refused (T03): {error}")

    def store_away(self, outage: Exception | None) -> None:
        """The database does not answer, or does again."""
        if outage is not None:
            self.tell(f"the books cannot be written for now, new packets are refused (T03) until they can: {outage}")
        else:
            self._keep("the books can be written again")
            logger.info("the books can be written again, and what had to wait is written")

    def _keep(self, text: str, rate: RateAlarm | None = None) -> None:
        self.on_tell(text, rate)
        self.append(text)
        self.told += 1
        del self[:-ALARMS_KEPT]
