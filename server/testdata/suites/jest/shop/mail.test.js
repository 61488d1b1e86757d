const { greeting } = require("./mail");

test("greeting", () => {
  expect(greeting("Ada")).toBe("Dear Ada");
});
