// Validates the query on standard input by GitHub's published schema: each fault
// is a line of the output, and none is none.
import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";

// The published text defines two fields of an enterprise twice.
const schema = buildSchema(readFileSync("node_modules/@octokit/graphql-schema/schema.graphql", "utf8"), { assumeValidSDL: true });
for (const fault of validate(schema, parse(readFileSync(0, "utf8")))) console.log(fault.message);
