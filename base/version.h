// The program's version, in one place; CHANGELOG.md says what changed.
#pragma once

#define EML_VERSION "0.1.0"
