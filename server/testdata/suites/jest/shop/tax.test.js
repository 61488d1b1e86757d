const { taxOf } = require("./tax");

test("taxOf", () => {
  expect(taxOf(100)).toBe(21);
});
