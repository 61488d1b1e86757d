exports.euro = (cents) => Math.floor(cents / 100);
