"""The tree of commands.

Nothing here imports a command, a server or asyncio: `ilp --help` answers at once.
"""

from __future__ import annotations

from typing import Final

from interledger.cli.tree import Entry, LazyGroup

__all__ = ["root"]

root: Final = LazyGroup(
    "ilp",
    {
        "demo": Entry("demo:demo", "Three nodes, two currencies, one payment, in three seconds"),
        "pay": Entry("pay:pay", "Send money to a payment pointer"),
        "quote": Entry("pay:quote", "What a payment would cost"),
        "balance": Entry("balance:balance", "Where accounts stand"),
        "status": Entry("status:status", "The node in one look"),
        "top": Entry("top:top", "The node as it moves, on a whole terminal"),
        "ping": Entry("ping:ping", "Ask a node for an echo"),
        "doctor": Entry("doctor:doctor", "What is wrong, and what to do"),
        "explain": Entry("explain:explain", "What an ILP error code means, and what to do"),
        "decode": Entry("packet:decode", "Read the octets of an ILP packet"),
        "dev": LazyGroup(
            "dev",
            {
                "up": Entry("dev:up", "Start a network of nodes on this machine"),
                "down": Entry("dev:down", "Stop it; balances are kept"),
                "status": Entry("dev:status", "What runs, and where"),
                "break": Entry("dev_break:break_network", "Slow or cut links, kill a node, let a rate jump"),
                "mend": Entry("dev_break:mend", "Put everything back"),
                "ca": Entry("dev_tls:authority", "An authority of this directory, for TLS"),
                "certificate": Entry("dev_tls:certificate", "A certificate that it signs"),
            },
            "A network on this machine",
        ),
        "node": LazyGroup(
            "node",
            {
                "run": Entry("node:run_node", "Run a node until it is told to stop"),
                "backup": Entry("backup:backup", "Copy the books into a file, while the node runs"),
                "restore": Entry("backup:restore", "Put a backup in place, after it was checked"),
                "install-service": Entry("service:install_service", "Run a node as a service of systemd"),
                "settings": Entry("node_settings:settings", "The settings of a running node, and who set them"),
                "log-level": Entry("log_level:log_level", "What a running node logs"),
                "drain": Entry("intake:drain", "Take no new packets, finish those in flight"),
                "resume": Entry("intake:resume", "Take packets again"),
                "stop": Entry("intake:stop", "Finish what is in flight, then end the program"),
                "dashboard": Entry("dashboard:dashboard", "A link that opens the node's pages, once"),
            },
            "One node",
        ),
        "account": LazyGroup(
            "account",
            {
                "list": Entry("account:list_accounts", "All accounts, and where they stand"),
                "show": Entry("account:show", "One account"),
                "history": Entry("account_history:history", "Where one stood, over time"),
                "create": Entry("account_edit:create", "Make an account"),
                "set": Entry("account_edit:set_account", "Change an account"),
                "delete": Entry("account_edit:delete", "Remove an account without balance"),
                "token": LazyGroup(
                    "token",
                    {
                        "add": Entry("token:add", "One more token, shown once"),
                        "list": Entry("token:list_tokens", "Those it may present"),
                        "revoke": Entry("token:revoke", "A token opens nothing any more"),
                    },
                    "Tokens that an account may present",
                ),
            },
            "Whom the node trusts, for how much",
        ),
        "peer": LazyGroup(
            "peer",
            {
                "invite": Entry("peer:invite", "Invite another node: one string, good once"),
                "invites": Entry("peer:invites", "Invitations, and what came of them"),
                "accept": Entry("peer:accept", "Accept an invitation"),
                "add": Entry("peer:add", "Become a peer of a Rafiki node"),
                "check": Entry("peer:check", "Is the link to a peer good?"),
            },
            "Become a peer in one step",
        ),
        "payment": LazyGroup(
            "payment",
            {
                "list": Entry("payment:list_payments", "Payments, newest first"),
                "show": Entry("payment:show", "One payment"),
                "cancel": Entry("payment:cancel", "Send no more of one that is under way"),
                "incoming": Entry("incoming:incoming", "What comes in, as it happens"),
            },
            "Payments that this node sent, and those that come in",
        ),
        "packet": LazyGroup(
            "packet",
            {
                "watch": Entry("packet_watch:watch", "Packets as they have their outcome"),
                "list": Entry("packet_watch:list_packets", "Packets, newest first"),
                "trace": Entry("packet_trace:trace", "The way of one packet, every step, and why"),
                "decode": Entry("packet:decode", "Read the octets of an ILP packet"),
            },
            "Single packets",
        ),
        "route": LazyGroup(
            "route",
            {
                "list": Entry("route:list_routes", "Where packets go"),
                "explain": Entry("route_explain:explain", "Which route wins for an address, and why"),
                "set": Entry("route:set_routes", "Set static routes"),
            },
            "Where packets go",
        ),
        "rate": LazyGroup(
            "rate",
            {
                "list": Entry("rate:list_rates", "What assets are worth here"),
                "set": Entry("rate:set_rates", "Set rates by hand"),
            },
            "Exchange rates",
        ),
        "ledger": LazyGroup(
            "ledger",
            {
                "check": Entry("ledger:check", "Compute all balances again, and compare"),
                "accounts": Entry("books_now:accounts", "The chart of accounts, as it stands"),
                "compare": Entry("books_now:compare", "Our books beside those of the peers"),
                "reconcile": Entry("reconcile:reconcile", "Compare packet by packet with a peer, and resolve"),
                "statement": Entry("ledger:statement", "What was posted to one account"),
                "profit": Entry("ledger:profit", "Fees, losses, exchange positions"),
                "export": Entry("ledger:export", "The books for hledger, beancount, a spreadsheet"),
                "correct": Entry("ledger:correct", "An entry by hand, with a reason"),
            },
            "The books",
        ),
        "unknown": LazyGroup(
            "unknown",
            {
                "list": Entry("unknown:list_unknown", "Amounts that nobody has proved"),
                "show": Entry("unknown:show", "One of them, and where it came from"),
                "prove": Entry("unknown:prove", "Keep its fulfillment as proof"),
                "resolve": Entry("unknown:resolve", "Decide: delivered, or not"),
            },
            "Amounts that may or may not have been delivered",
        ),
        "unproven": LazyGroup(
            "unproven",
            {
                "list": Entry("unproven:list_unproven", "What peers do not count"),
                "add": Entry("unproven:add", "A packet that a peer says it does not count"),
                "resolve": Entry("unproven:resolve", "Decide: owed, or lost"),
            },
            "What was fulfilled for peers that do not count it",
        ),
        "settlement": LazyGroup(
            "settlement",
            {
                "list": Entry("settlement:list_settlements", "What is settled, and what came in"),
                "show": Entry("settlement:show", "One settlement, and what holds it up"),
                "create": Entry("settlement:create", "Settle now"),
                "retry": Entry("settlement:retry", "Ask its engine again, now"),
                "void": Entry("settlement:void", "Take back what was never paid"),
                "approve": Entry("settlement:approve", "Credit what is held"),
                "resume": Entry("settlement:resume", "Settle again from restored books"),
                "engines": Entry("settlement:engines", "Engines of accounts that name none, by asset"),
            },
            "Balances that become money",
        ),
        "engine": LazyGroup(
            "engine",
            {
                "list": Entry("engine:list_engines", "The engines that come with this package"),
                "run": Entry("engine:run_engine", "Run one beside a node"),
                "payments": Entry("engine:payments", "What it has to pay, and has paid"),
                "incoming": Entry("engine:incoming", "What has come in"),
                "approve": Entry("engine:approve", "Agree to a payment"),
                "xrp-sim": Entry("xrp_sim:run_simulator", "Run a simulator of the XRP Ledger, for trying"),
            },
            "Settlement engines: how balances become money",
        ),
        "events": LazyGroup(
            "events",
            {
                "tail": Entry("events:tail", "What happens, as it happens"),
                "list": Entry("events:list_events", "What happened, newest first"),
            },
            "What happens at the node",
        ),
        "token": LazyGroup(
            "token",
            {
                "create": Entry("admin_token:create", "One more, shown once"),
                "list": Entry("admin_token:list_tokens", "All of them"),
                "revoke": Entry("admin_token:revoke", "One opens nothing any more"),
            },
            "Who may do what at this node",
        ),
        "webhook": LazyGroup(
            "webhook",
            {
                "create": Entry("webhook:create", "Send events to a URL; the secret is shown once"),
                "list": Entry("webhook:list_webhooks", "Where events are sent"),
                "deliveries": Entry("webhook:deliveries", "What was sent there, and what waits"),
                "replay": Entry("webhook:replay", "Send one once more"),
                "listen": Entry("webhook_listen:listen", "See what would be sent, and pass it on to a program here"),
                "test": Entry("webhook:test", "Send one that means nothing"),
                "delete": Entry("webhook:delete", "Send nothing more"),
            },
            "Programs that are told of events",
        ),
        "config": LazyGroup(
            "config",
            {
                "check": Entry("config:check", "Look for faults in settings, without a node"),
                "show": Entry("config:show", "All settings, and where each comes from"),
            },
            "Settings",
        ),
        "context": LazyGroup(
            "context",
            {
                "add": Entry("context:add", "Give a node a name"),
                "use": Entry("context:use", "Ask this node from now on"),
                "list": Entry("context:list_contexts", "All of them, and which one is used"),
                "show": Entry("context:show", "One of them, and who the node says we are"),
                "delete": Entry("context:delete", "Forget one"),
            },
            "Nodes by name, and which one is asked",
        ),
        "completion": Entry("completion:completion", "Complete commands in bash, zsh or fish"),
        "help": Entry("help:help_", "Help on a command or a topic"),
    },
    "Interledger: pay across currencies, run a node, look into both.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
