# SPDX-License-Identifier: GPL-2.0
"""The test suite's runner: what runs where, in which guests, and with what result.

    header.py   what a script says of itself in its first comment lines
    ktap.py     what KTAP output amounts to; a whole run as one document
    profile.py  how long each script took, on each kernel
    plan.py     tiers, shards, and which scripts share a guest
    slots.py    how many guests and compilers may run at once
    guest.py    one guest, by vm.sh or vng.sh
    host.py     tests without a guest: crates, and KTAP scripts of the host
    record.py   results as they come; what an interrupted run need not repeat
    run.py      the run: jobs, second tries, totals
    place.py    where things are

qemu/run-tests.py is the command. Only the standard library is used.
"""
