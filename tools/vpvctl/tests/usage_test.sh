# SPDX-License-Identifier: GPL-2.0
# Wrong arguments: one line on stderr, status 2.
fresh
fake fn 0000:00:05.0 group=3

while IFS='|' read -r name arguments message; do
	# shellcheck disable=SC2086
	expect "$name" 2 '' "$message" $arguments
done <<'CASES'
no command||no command
unknown command|frobnicate|unknown command 'frobnicate'
unknown option before the command|--foo list|'--foo'
option of another command|list --count 3|'--count'
option without value|bind --timeout|needs a value
no number|watch --count x|number
octal number|watch --count 010|number
two formats at once|describe --json --format nova|exclude each other
number too small|watch --count 0|number
number with junk|watch --count 3x|number
negative number|watch --interval -5|number
operand for list|list 0000:00:05.0|unexpected
no device for bind|bind|give a device
three operands for bind|bind 0000:00:05.0 a b|give a device
driver with a slash|bind 0000:00:05.0 ../x|no name of a driver
no address|describe nothing|no PCI address
slot too large|describe 0000:00:25.0|no PCI address
function too large|describe 0000:00:05.8|no PCI address
two devices for describe|describe 0000:00:05.0 0000:00:05.0|give one device
one operand for compat|compat 0000:00:05.0|give two
one operand for a matrix|compat --matrix 0000:00:05.0|give two or more
no verb for stream|stream x|show or check
wrong verb for stream|stream dump x|neither show nor check
family too long|stream check --family 0123456789012345678901234567890123456789 x|no name
oldest above version|stream check --state-version 1 --oldest 2 x|above
two devices for watch|watch 0000:00:05.0 0000:00:05.0|one device
two devices for record|record 0000:00:05.0 0000:00:05.0|one device
no interval for record|record --interval 0|number
two devices for doctor|doctor 0000:00:05.0 0000:00:05.0|one device
two devices for unbind|unbind 0000:00:05.0 0000:00:05.0|one device
CASES

expect "help" 0 'usage: vpvctl.*bind' '' --help
expect "help of a command" 0 '^usage: vpvctl stream show\|check' '' stream --help
expect "version" 0 '^vpvctl ' '' --version
expect "device that is not there" 1 '' 'there is no PCI function 0000:00:06.0' describe 00:06.0

expect "no letters for options" 2 '' "unknown or wrong option '-ab'" list --open -ab
expect "one letter" 2 '' "unknown or wrong option '-x'" list -x --open
expect "an option with a value that it has not" 2 '' "unknown or wrong option '--open=yes'" list --open=yes --bound
