exports.taxOf = (amount) => Math.floor((amount * 21) / 100);
