// Makes sdk/Crm.Sdk/Keys/PhoneNumbers.tsv from the numbering plans of libphonenumber:
//   npm pack libphonenumber-js && tar xzf libphonenumber-js-*.tgz && node build/phone-numbers.mjs package > sdk/Crm.Sdk/Keys/PhoneNumbers.tsv
import { readFileSync } from 'node:fs';

const folder = process.argv[2];
const plans = JSON.parse(readFileSync(folder + '/metadata.min.json', 'utf8'));
const { version } = JSON.parse(readFileSync(folder + '/package.json', 'utf8'));
const row = (region, plan) =>
    [region, plan[0], plan[1] || '', plan[2] || '', (plan[3] || []).join(','), plan[5] || '', plan[7] || '', plan[8] || ''].join('\t');
console.log(`# Numbering plans of libphonenumber (Google, Apache License 2.0), as libphonenumber-js ${version} has them; made by build/phone-numbers.mjs.`);
console.log('# region, calling code, international prefix, national numbers, their lengths, trunk prefix, trunk prefix as typed, what it becomes');
for (const regions of Object.values(plans.country_calling_codes)) {
    for (const region of regions) {
        console.log(row(region, plans.countries[region]));
    }
}

for (const plan of Object.values(plans.nonGeographic || {})) {
    console.log(row('001', plan));
}
