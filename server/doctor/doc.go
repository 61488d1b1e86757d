// Package doctor knows what Mainstay needs of GitHub and of a repository, and
// says what of that is missing: facts and workflow files in, findings out, each
// with the setting that mends it. The one table of the App's permissions and
// events is here, too.
//
// It is pure: it reads no network, no clock and no file. It imports the standard
// library and actionlint's parser, and nothing of the product.
package doctor
