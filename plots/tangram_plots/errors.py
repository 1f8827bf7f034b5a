"""What can be wrong with a user's input, told as the rest of the command tells it."""
import difflib


class InputError(Exception):
    """A user's mistake, or several, a line each; the command prints them and exits with 2."""


class Faults:
    """Collects mistakes that do not depend on each other, so that all are told at once."""

    def __init__(self):
        self.found = []

    def attempt(self, action, *arguments):
        """The result of the action, or None with its mistake kept."""
        try:
            return action(*arguments)
        except InputError as error:
            self.found.append(str(error))
            return None

    def raise_if_any(self):
        if self.found:
            raise InputError("\n".join(self.found))


def unknown_name(kind, name, known):
    """The sentence for a name that is not among the known ones, with the nearest of them."""
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f'; did you mean "{nearest[0]}"? known: ' if nearest else "; known: "
    return f'unknown {kind} "{name}"{hint}{", ".join(known) or "none"}'
