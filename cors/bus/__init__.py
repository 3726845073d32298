"""What carries opaque bytes between roles: topics as MQTT has them, in-process here.

`interface` says what a bus is, `topics` what a topic may be, `in_process` is the one that needs no broker.
"""
