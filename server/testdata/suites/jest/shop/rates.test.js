const { taxOf } = require("./tax");

describe("rates", () => {
  test.each([[0, 0], [10, 2], [1000, 210]])("of %i is %i", (amount, tax) => {
    expect(taxOf(amount)).toBe(tax);
  });
  test.skip("of luxury", () => {
    throw new Error("the law is not passed yet");
  });
});
