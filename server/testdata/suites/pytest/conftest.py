"""Notes which test files really ran, for the end-to-end tests."""
import sys

sys.dont_write_bytecode = True

import story


def pytest_runtest_logstart(nodeid, location):
    story.ran(nodeid.split("::")[0])
