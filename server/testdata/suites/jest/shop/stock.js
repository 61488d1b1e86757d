exports.left = (have, sold) => Math.max(have - sold, 0);
