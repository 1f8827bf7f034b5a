"""What can be wrong with a user's input, told as the rest of the command tells it."""
import difflib


class InputError(Exception):
    """A user's mistake; the command prints it and exits with 2."""


def unknown_name(kind, name, known):
    """The sentence for a name that is not among the known ones, with the nearest of them."""
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f'; did you mean "{nearest[0]}"? known: ' if nearest else "; known: "
    return f'unknown {kind} "{name}"{hint}{", ".join(known) or "none"}'
