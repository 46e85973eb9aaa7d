"""`deploy/prometheus`, `deploy/grafana`: every figure they ask for exists, and the alerts do what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from interledger.node.metric_kinds import MetricKind
from interledger.node.metrics import METRICS

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARD = DEPLOY / "grafana" / "interledger.json"
RULES = DEPLOY / "prometheus" / "interledger-alerts.yml"
HOWTO = Path(__file__).parents[2] / "docs" / "howto" / "watch-a-node.md"

NAME = re.compile(r"\b((?:ilp|packet|transactions|process)_[a-z_]+)(?=[\s{\[)]|$)")

KNOWN = {
    MetricKind.GAUGE: ("",),
    MetricKind.COUNTER: ("_total",),
    MetricKind.HISTOGRAM: ("_bucket", "_sum", "_count"),
}
EXPOSED = {metric.name + suffix for metric in METRICS for suffix in KNOWN[metric.kind]}
OF_THE_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}


def queries(place: Path) -> list[str]:
    if place.suffix == ".json":
        return [
            t["expr"] for panel in json.loads(place.read_text()).get("panels", ()) for t in panel.get("targets", ())
        ]
    blocks = re.findall(r"expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)", place.read_text())
    return [long or short for long, short in blocks]


@pytest.mark.parametrize("place", [BOARD, RULES], ids=lambda place: place.name)
def test_what_is_asked_for_is_told(place: Path) -> None:
    found = queries(place)
    assert len(found) >= 15
    for query in found:
        names = set(NAME.findall(query))
        assert names, query
        assert names <= EXPOSED | OF_THE_PROCESS, query


def test_RK_11_every_alert_says_what_rule_it_is_for_and_is_in_the_docs() -> None:
    text = RULES.read_text()
    alerts = re.findall(r"- alert: (\w+)", text)
    assert len(alerts) == text.count('rule: "RFC 18: ') == text.count("description: ")
    assert [name for name in alerts if f"`{name}`" not in HOWTO.read_text()] == []


def test_every_alert_is_tried_when_all_is_well_and_when_it_is_not() -> None:
    tried = (RULES.parent / "interledger-alerts-test.yml").read_text()
    healthy = tried[: tried.index("  - name: Every alarm")]
    for alert in re.findall(r"- alert: (\w+)", RULES.read_text()):
        assert f"alertname: {alert}}}" in healthy, alert
        assert re.search(rf"alertname: {alert}\n +exp_alerts:\n +- exp_labels", tried), alert


def test_each_measure_of_RFC_18_that_can_be_watched_has_an_alert() -> None:
    """The headings of the RFC's lists; those of the page without an alert say why."""
    watched = set(re.findall(r'rule: "RFC 18: ([^"]+)"', RULES.read_text()))
    named = {part.strip() for rule in watched for part in rule.split(",")}
    assert named == {
        "Adjusting Transfer Expiry Window",
        "Denial of Service Protections",
        "Prioritizing Fulfillments",
        "Redundant Instances",
        "Managing Payment Bandwidth",
        "Preferring Smaller Payments",
        "Blacklisting Senders and Receivers",
        "Limiting total counterparty risk",
        "Exchange Rate Volatility",
    }
    assert "Avoiding public endpoints and agreements outside of the protocol" in HOWTO.read_text()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
@pytest.mark.parametrize("words", [("check", "rules", RULES.name), ("test", "rules", "interledger-alerts-test.yml")])
def test_prometheus_own_tool_agrees(words: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *words], cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
