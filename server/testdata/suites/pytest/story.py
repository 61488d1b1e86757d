"""What the end-to-end tests see, and what behaves otherwise the first time."""
import os


def ran(item):
    words = [os.environ[v] for v in ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_WORKSPACE")]
    with open(os.path.join(os.environ["STORY_DIR"], "ran"), "a") as notes:
        notes.write(" ".join(words + [item]) + "\n")


def first(name):
    """True once for each name, however many processes ask."""
    try:
        os.mkdir(os.path.join(os.environ["STORY_DIR"], name))
        return True
    except FileExistsError:
        return False
