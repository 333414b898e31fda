"""Checks the infrastructure without a Bicep compiler: `make check-infra`.

`lexer`, `parser`, `syntax`     Bicep's text as a tree
`references`                    what static reading finds: dangling names, wrong inputs, missing descriptions
`evaluate`, `functions`         the tree and a parameter file as the resources that would be deployed
`schemas`, `bodies`             those resources against Azure's own schemas
`rules`                         security, names, roles, networking, alerts
`agreement`                     those resources against streams, state, settings and triggers in code
`compilers`                     second opinions: tree-sitter's grammar, and Bicep itself where it is installed
"""
