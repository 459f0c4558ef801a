// Makes sdk/Crm.Sdk/Keys/PublicSuffixes.txt from the Public Suffix List:
//   curl -O https://publicsuffix.org/list/public_suffix_list.dat && node build/public-suffixes.mjs public_suffix_list.dat 2026-08-19 > sdk/Crm.Sdk/Keys/PublicSuffixes.txt
import { readFileSync } from 'node:fs';
import { domainToASCII } from 'node:url';

const [file, date] = process.argv.slice(2);
console.log(`// This Source Code Form is subject to the terms of the Mozilla Public
// License, v. 2.0. If a copy of the MPL was not distributed with this
// file, You can obtain one at https://mozilla.org/MPL/2.0/.
// The rules of the Public Suffix List (https://publicsuffix.org) of ${date}, ICANN and private ones, as the name system writes them; made by build/public-suffixes.mjs.`);
for (const line of readFileSync(file, 'utf8').split('\n').map(l => l.trim()).filter(l => l && !l.startsWith('//'))) {
    const [, sign, name] = /^(!|\*\.)?(.*)$/.exec(line);
    console.log((sign || '') + domainToASCII(name));
}
