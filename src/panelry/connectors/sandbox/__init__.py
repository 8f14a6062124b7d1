"""The sandbox provider: a provider of our own for demonstrations and tests, a process of its own over real HTTP.

Its catalogue is fixed (command-line.md, Sandbox catalogue), and its log is the truth that tests compare ours with:
an order that was accepted is on disk before anything is answered, and a killed sandbox comes back knowing it.

    options → server (socket) → forms (body) → actions (one a word of the API) → shop (what was ordered) → log (disk)
                  ↘ wire (how an answer travels, or does not)                        ↘ orders, paces (state as time passes)

What an order does, also when it is to be cancelled or refilled, is a row of `behaviours`: chosen by its service
(`catalog`), or by its link, on any service, with the query parameter `sandbox`, such as
`https://example.com/post/1?sandbox=reset`; subscriptions choose with their user name, such as `sandbox=expires`.
What the sandbox does as a whole (half a catalogue, the next three polls answer 502) is set with
`POST /sandbox/faults`; see `faults`. docs/operators/sandbox.md has all names.
"""

from panelry.connectors.sandbox.server import SandboxOptions, run, serve

__all__ = ["SandboxOptions", "run", "serve"]
