const { euro } = require("./money");

test("euro", () => {
  expect(euro(250)).toBe(2);
});
