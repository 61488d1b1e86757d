const { left } = require("./stock");

test("left", () => {
  expect(left(3, 5)).toBe(0);
});
