"""Makes what Azure takes: the function app with its dependencies for Linux x86-64, as `make package` does.

`contents`       which files belong into it
`dependencies`   where the dependencies come from: the package index, or what is installed here
`archive`        the zip, with the same bytes whenever the same files go in
`sbom`           what is inside, for those who look for vulnerabilities and licences
"""
