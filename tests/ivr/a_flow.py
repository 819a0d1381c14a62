"""Flows for tests of this folder: nodes by a short name, and one flow with every kind of node."""

from __future__ import annotations

from typing import Any

from fs_dialer.core.flow import Ivr, Node


def node(name: str, do: str, **settings: Any) -> Node:
    return Node(name=name, do=do, **settings)


def a_flow(*nodes: Node, **settings: Any) -> Ivr:
    return Ivr(name="dues-menu", nodes=nodes, **settings)


EVERY_KIND = a_flow(
    node("hello", "play", sound="hello.wav", next="owed"),
    node("owed", "say", say_as="money", text="{due}", sound="you-owe.wav", next="main"),
    node(
        "main",
        "menu",
        sound="menu.wav",
        keys=(("1", "adviser"), ("2", "pin"), ("3", "gold"), ("9", "stop"), ("star", "owed"), ("hash", "desk")),
        wrong="wrong.wav",
        otherwise="unheard",
    ),
    node("pin", "gather", text="Your number please", digits=(4, 6), pattern="0[1-9]\\d+", next="ask", otherwise="main"),
    node("ask", "http", url="https://crm.example.com/pin", send=("pin",), take=("known",), next="known", otherwise="message"),
    node("known", "if", what="known", among=("yes",), next="mark", otherwise="message"),
    node("mark", "set", set=(("wants_call", "yes"),), next="rating"),
    node("rating", "rate", low=1, high=5, answer="satisfaction", tries=2, next="bye", otherwise="bye"),
    node("gold", "if", what="tier", among=("gold", "silver"), next="adviser", otherwise="bye"),
    node("adviser", "connect", teams=("collections",), sound="one-moment.wav", otherwise="message"),
    node("desk", "transfer", number="+442079460100", otherwise="message"),
    node("message", "record", text="Please speak", next="bye"),
    node("stop", "opt_out", sound="never-again.wav"),
    node("bye", "end", text="Goodbye"),
    node("unheard", "end", success=False),
    title="Reminder of dues",
)
