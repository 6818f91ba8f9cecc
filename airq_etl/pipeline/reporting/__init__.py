"""report: facts read from the tables or from the store, written as one page, as pictures, or as JSON.

tables, stored -> material -> report.build -> facts -> page, pictures
"""
