// Takes a token as an action does, by GitHub's own client, and prints it.
import { getIDToken } from '@actions/core';
console.log('\nTOKEN ' + await getIDToken(process.argv[2]));
