"""Small pure building blocks of every domain: calendar, windows, returns, costs, hashing.

Nothing here reads a file, knows a table or imports another part of Odyssey than `errors`.
"""
