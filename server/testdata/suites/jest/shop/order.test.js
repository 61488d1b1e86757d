const { number } = require("./order");

test("number", () => {
  expect(number(41)).toBe(42);
});
