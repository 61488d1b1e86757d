// What the end-to-end tests see, and what behaves otherwise the first time.
const fs = require("fs");
const path = require("path");

const place = process.env.STORY_DIR;

// first is true once for each name, however many processes ask.
global.first = (name) => {
  try {
    fs.mkdirSync(path.join(place, name));
    return true;
  } catch (e) {
    if (e.code === "EEXIST") return false;
    throw e;
  }
};

const { GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_WORKSPACE } = process.env;
const item = path.relative(GITHUB_WORKSPACE, expect.getState().testPath);
beforeAll(() => {
  fs.appendFileSync(path.join(place, "ran"), [GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_WORKSPACE, item].join(" ") + "\n");
});
