"""The AWS stand-in of the integration tests: moto, with what moto lacks.

    client ──► server ──► overlay ──► moto
                 │           ├─ faults     rules that deny, throttle, break or hang chosen calls
                 │           ├─ call_log   every AWS call, and who made it
                 │           └─ cbor       CloudWatch's newest protocol, turned into one that moto speaks
                 └─ fork: a copy of the whole world, served on a port of its own

`backends`, and the modules that it installs, complete moto's own state in place, so what one call writes the next one
reads. What they add proves that answers are parsed and decided correctly; it says nothing about AWS beyond what AWS
documents.

Run it with `PYTHONPATH=tests .venv/bin/python -m emulator`; it prints one line, `ready <port>`.
"""
