"""Settings from flags, environment and file: precedence, faults with their place, and secrets made and kept."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest

from interledger.clock import SystemEntropy
from interledger.errors import SettingsError
from interledger.node.settings_load import keep_secret, load_settings, read_settings
from interledger.node.settings_sources import Fault


def write(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "ilp.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def faults_of(tmp_path: Path, text: str) -> list[str]:
    return [str(fault) for fault in read_settings({}, {}, write(tmp_path, text)).faults]


# ---------------------------------------------------------------------- precedence


def test_flags_then_environment_then_file_then_defaults(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'ilp_address = "test.file"\nlog_level = "error"\nhttp_bind_address = "127.0.0.1:1"\n'
        "[exchange_rate]\nspread = 0.003\n",
    )
    report = read_settings(
        {"ilp_address": "test.flag"},
        {"ILP_ILP_ADDRESS": "test.env", "ILP_LOG_LEVEL": "debug", "HOME": "/", "ILP_CLI_API_AUTH": "x"},
        path,
    )
    assert report.faults == []
    assert report.values["ilp_address"] == "test.flag"
    assert report.values["log_level"] == "debug"
    assert report.values["http_bind_address"] == "127.0.0.1:1"
    assert report.values["spread"] == Fraction(3, 1000)
    assert report.values["durability"] == "power"
    assert report.read_count == 7
    assert report.origins == {
        "ilp_address": "--ilp-address",
        "log_level": "ILP_LOG_LEVEL",
        "http_bind_address": "ilp.toml:3",
        "exchange_rate.spread": "ilp.toml:5",
    }


def test_nesting_and_other_names_in_the_environment() -> None:
    environ = {"ILP_EXCHANGE_RATE__POLL_INTERVAL": "5000", "ILP_ADDRESS": "test.a", "ILP_LIMITS__IN_FLIGHT_MAX": "7"}
    values = read_settings({}, environ).values
    assert (values["rates_poll_ms"], values["ilp_address"], values["in_flight_max"]) == (5000, "test.a", 7)


def test_the_default_file_is_read_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({}, {}).path is None
    write(tmp_path, "development = true\n")
    report = read_settings({}, {})
    assert report.path == Path("ilp.toml")
    assert report.values["development"] is True


def test_accounts_routes_and_rates_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "bob.token").write_text("s3\n")
    (tmp_path / "bob.token").chmod(0o600)
    path = write(
        tmp_path,
        'ilp_address = "test.hub"\n[accounts.bob]\nasset = "EUR/9"\nowes_us_max = 400\ntoken_file = "bob.token"\n'
        '[routes]\n"test.bob" = "bob"\ntest.carol = "bob"\n[rates]\nUSD = 0.9213\nEUR = 1\n',
    )
    settings = load_settings({"durability": "memory"}, {}, path)
    (bob,) = settings.accounts
    assert (bob.id, bob.ilp_address, bob.owes_us_max) == ("bob", "test.hub.bob", 400 * 10**9)
    assert bob.link.http_incoming_token_digest is not None
    assert settings.routes == {"test.bob": "bob", "test.carol": "bob"}
    assert settings.rates == {"USD": "0.9213", "EUR": "1"}


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "[limits]\n\npacket_per_minute = 5\n",
            "ilp.toml:3  limits.packet_per_minute is not a setting. Did you mean  limits.packets_per_minute ?",
        ),
        ("spread = 0.1\n", "ilp.toml:1  spread is not a setting. Did you mean  exchange_rate.spread ?"),
        ("zzzzzz = 1\n", "ilp.toml:1  zzzzzz is not a setting. List:  ilp config show"),
        (
            'database_url = "redis://x"\n',
            "ilp.toml:1  database_url is not a setting of this node. This node keeps its state in  data_dir",
        ),
        ("data_dir_file = 'x'\n", "ilp.toml:1  data_dir_file is not a setting. Did you mean  data_dir ?"),
        ('durability = "disk"\n', "ilp.toml:1  durability: “disk” is not one of  power  process  memory"),
        (
            'secret_seed_file = "missing"\n',
            "ilp.toml:1  secret_seed_file: names {dir}/missing, which cannot be read: No such file or directory",
        ),
        (
            '[accounts.bob]\nasset = "EUR/9"\nowe_us_max = 4\n',
            "ilp.toml:3  accounts.bob.owe_us_max is not a setting. Did you mean  accounts.bob.owes_us_max ?",
        ),
        (
            '[accounts.bob]\nrelation = "peer"\n',
            'ilp.toml:2  accounts.bob: has no asset. Write  asset = "USD/9"',
        ),
        (
            '[accounts]\nbob = { asset = "EUR/9", relation = "friend" }\n',
            "ilp.toml:2  accounts.bob.relation: “friend” is not one of  parent  peer  child  local",
        ),
        (  # CR-13
            '[accounts.one]\nrelation = "parent"\n[accounts.two]\nasset = "EUR/9"\nrelation = "parent"\n',
            "ilp.toml:5  accounts.two.relation: “one” is the parent already, and a node has one at most.",
        ),
        (
            '[accounts.bob]\nasset = "EUR/9"\n[routes]\n"test.b" = "bob,bbo:2"\n',
            "ilp.toml:4  routes.test.b leads to “bbo”, which is no account of the file. Did you mean  bob ?",
        ),
        (
            '[accounts.bob]\nasset = "EUR/9"\n[routes]\n"test.b" = "bob:900"\n',
            "ilp.toml:4  routes.test.b: “bob:900”: a weight is a number from 1 to 100",
        ),
        (
            '[accounts.bob]\nasset = "EUR/9"\n[routes]\n"test.b" = "bbo"\n',
            "ilp.toml:4  routes.test.b leads to “bbo”, which is no account of the file. Did you mean  bob ?",
        ),
        (
            '[accounts.bob]\nasset = "EUR/9"\n[routes]\n"test.b" = "zz"\n',
            "ilp.toml:4  routes.test.b leads to “zz”, which is no account of the file.",
        ),
        ('[routes]\n"no prefix" = "bob"\n', "ilp.toml:2  routes.no prefix: “no prefix” is not an ILP address prefix."),
        ('[rates]\nUSD = "cheap"\n', "ilp.toml:2  rates.USD: “cheap” is not an amount. Write  10  or  10.50"),
        ('http_bind_address = "0.0.0.0:1"\n', "ilp.toml:1  http_bind_address is 0.0.0.0:1: other machines could read"),
        ("x = \n", "ilp.toml  not TOML: Invalid value (at line 1, column 5)"),
    ],
)
def test_a_fault_says_where_and_what_instead(tmp_path: Path, text: str, fault: str) -> None:
    (found,) = faults_of(tmp_path, text)
    assert found.startswith(fault.replace("{dir}", str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("ILP_DATADIR", "environment  ILP_DATADIR is not a setting. Did you mean  ILP_DATA_DIR ?"),
        ("ILP_ZZZ", "environment  ILP_ZZZ is not a setting. List:  ilp config show"),
        ("ILP_REDIS_URL", "ILP_REDIS_URL  redis_url is not a setting of this node."),
    ],
)
def test_unknown_environment_variables(name: str, fault: str) -> None:
    (found,) = read_settings({}, {name: "x"}).faults
    assert str(found).startswith(fault)


def test_tokens_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "seed").write_text("00" * 32)
    (tmp_path / "seed").chmod(0o640)
    path = write(tmp_path, '[accounts.bob]\nasset = "EUR/9"\ntoken = "s3"\n[x]\n', 0o644)
    (fault,) = read_settings({"secret_seed_file": str(tmp_path / "seed")}, {}, None).faults
    assert fault == Fault(
        "--secret-seed-file",
        "secret_seed stands in seed, and its group can read it (mode 0640).",
        f"Do  chmod 600 {tmp_path / 'seed'}",
        fatal=False,
    )
    (fault,) = read_settings({}, {}, path).faults
    assert str(fault) == (
        "ilp.toml:3  accounts.bob.token is written in the file, and anyone on this machine can read it (mode 0644).\n"
        "Use  accounts.bob.token_file  or  chmod 600 ilp.toml"
    )
    assert not fault.fatal
    assert load_settings({"durability": "memory"}, {}, path).accounts


def test_load_raises_with_every_fault_on_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, 'durability = "disk"\nnonsense = 1\n')
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {}, path)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("octets", [b"\xff", b"a" * 1_048_577])
def test_a_file_that_is_no_settings_file(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "ilp.toml"
    path.write_bytes(octets)
    assert len(read_settings({}, {}, path).faults) == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = read_settings({}, {}, tmp_path / "no.toml").faults
    assert str(fault) == "no.toml  cannot be read: No such file or directory"


# ---------------------------------------------------------------------- secrets that the node makes


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    flags = {"data_dir": str(tmp_path / "node")}
    settings = load_settings(flags, {})
    again = load_settings(flags, {})
    assert settings.secret_seed == again.secret_seed
    assert settings.admin_auth_token == again.admin_auth_token
    assert len(settings.secret_seed) == 32
    for name in ("secret_seed", "admin_token"):
        assert (tmp_path / "node" / name).stat().st_mode & 0o777 == 0o600


def test_given_secrets_are_not_written(tmp_path: Path) -> None:
    flags = {"data_dir": str(tmp_path / "node"), "secret_seed": "ab" * 32, "admin_auth_token": "t"}
    settings = load_settings(flags, {})
    assert (settings.secret_seed, settings.admin_auth_token) == (b"\xab" * 32, "t")
    assert not (tmp_path / "node").exists()


def test_memory_keeps_nothing(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": str(tmp_path / "node"), "durability": "memory"}, {})
    assert len(settings.secret_seed) == 32
    assert not (tmp_path / "node").exists()


def test_a_kept_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_seed").write_text("00" * 32)
    (tmp_path / "secret_seed").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        keep_secret(tmp_path, "secret_seed", SystemEntropy())


def test_a_kept_secret_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "secret_seed").write_bytes(b"\xff")
    (tmp_path / "secret_seed").chmod(0o600)
    with pytest.raises(SettingsError, match="cannot be read"):
        keep_secret(tmp_path, "secret_seed", SystemEntropy())


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        keep_secret(tmp_path / "file" / "node", "secret_seed", SystemEntropy())
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("url", ["mysql://ilp:canary@db/x", "canary", "postgresql://ilp:canary @db/x"])
def test_J6_a_database_that_cannot_be_one_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="not the URL of a database") as caught:
        load_settings({"store": url}, {})
    assert "canary" not in str(caught.value)


def test_J6_the_database_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "hub.store").write_text("postgresql://ilp:canary@db/x\n")
    (tmp_path / "hub.store").chmod(0o600)
    path = write(tmp_path, 'store_file = "hub.store"\ndata_dir = "' + str(tmp_path / "node") + '"\n')
    settings = load_settings({}, {}, path)
    assert settings.store == "postgresql://ilp:canary@db/x"
    assert "canary" not in repr(settings)


def test_a_database_for_a_node_that_keeps_nothing() -> None:
    with pytest.raises(SettingsError, match="store is of no use with  durability = memory"):
        load_settings({"store": "postgresql://db/x", "durability": "memory"}, {})
