# SPDX-License-Identifier: GPL-2.0
"""The descriptions that two hosts exchange before a migration: vpvctl names the limit in which their controllers differ."""

from pathlib import Path

LIMIT = "mdts"          # in configfs; Identify has it as a power of two of pages
FIELD = "migration.match: MDTS"


def describe(tool, function, path):
    """What the host of FUNCTION would send to the other one."""
    Path(path).write_text(tool.run("describe", "--open", function.bdf).stdout)
    return str(path)


def verdict(tool, files):
    found = tool.json("compat", *files) or {}
    return found.get("compatible"), found.get("difference") or {}


def check(session, tool, pair, give, profiles):
    """GIVE(function, {name: value}) changes the profile that is in the folder PROFILES[bdf], and shows the persona again."""
    folder = Path(session.out)
    here = describe(tool, pair[0], folder / "source.json")
    whole = int((profiles[pair[1].bdf] / LIMIT).read_text())
    give(pair[1], {LIMIT: whole - 1})
    less = describe(tool, pair[1], folder / "less.json")
    give(pair[1], {LIMIT: whole})
    there = describe(tool, pair[1], folder / "destination.json")

    fits, difference = verdict(tool, (here, there))
    session.check("descriptions of two hosts fit", fits is True, difference)
    fits, difference = verdict(tool, (here, less))
    session.check("a destination with another limit does not, and vpvctl names the limit and both values",
                  fits is False and difference.get("field") == FIELD and
                  (difference.get("a"), difference.get("b")) == (str(whole), str(whole - 1)), difference)
    session.check("and what would fix it", "give" in difference.get("fix", "") and "MDTS" in difference["fix"], difference)
    session.say(f"limits: {difference.get('field')}: {difference.get('a')} here, {difference.get('b')} there; "
                f"{difference.get('fix')}")
