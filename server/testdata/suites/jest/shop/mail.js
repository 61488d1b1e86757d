exports.greeting = (name) => "Dear " + name;
